// What is painted, as the strokes it was painted with: they are undone by leaving one out, and drawn at any size.

export interface Spot {
  /** Part of the width. */
  x: number;
  /** Part of the height. */
  y: number;
}

export interface Stroke {
  spots: Spot[];
  /** How wide, as a part of the picture's longer side. */
  width: number;
  isErasing: boolean;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Over what is there, from one of its spots to its end. */
export function drawStroke(draw: Context, { spots, width, isErasing }: Stroke, from = 0): void {
  const { width: wide, height: high } = draw.canvas;
  draw.globalCompositeOperation = isErasing ? 'destination-out' : 'source-over';
  draw.lineCap = 'round';
  draw.lineJoin = 'round';
  draw.lineWidth = width * Math.max(wide, high);
  draw.strokeStyle = 'rgb(244, 63, 94)';
  draw.beginPath();
  for (const { x, y } of spots.slice(from)) draw.lineTo(x * wide, y * high);
  // A line of no length is not drawn.
  const end = spots.at(-1)!;
  draw.lineTo(end.x * wide + 0.01, end.y * high);
  draw.stroke();
}

/** In place of what is there. */
export function drawStrokes(draw: Context, strokes: readonly Stroke[]): void {
  draw.clearRect(0, 0, draw.canvas.width, draw.canvas.height);
  for (const one of strokes) drawStroke(draw, one);
}
