// Paints a mask over an image, by pointer or by keys: arrows move the brush, space paints. It is painted on a canvas no larger than a
// screen needs; what comes out has the image's size.

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../text/index.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { notifyFailure } from './notices.tsx';
import { drawStroke, drawStrokes, type Spot, type Stroke } from './strokes.ts';

interface MaskPainterProps {
  /** An address of the image. */
  image: string;
  /** What was painted on it before. */
  before?: readonly Stroke[] | undefined;
  /** @param painted opaque where it was painted, of the image's size. @param pixels the image itself */
  onDone: (strokes: readonly Stroke[], painted: ImageData, pixels: ImageData) => void;
  onClose: () => void;
}

const STEP = 1 / 50;
/** Of the canvas: each stroke of a larger one would be waited for. */
const LONGEST_SIDE = 1024;

export function MaskPainter({ image, before = [], onDone, onClose }: MaskPainterProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const source = useRef<HTMLImageElement>(null);
  const [size, setSize] = useState(10);
  const [isErasing, setErasing] = useState(false);
  const [isReady, setReady] = useState(false);
  const spot = useRef<Spot>({ x: 0.5, y: 0.5 });
  const strokes = useRef<readonly Stroke[]>(before);
  const current = useRef<Stroke | undefined>(undefined);
  /** What was there before each stroke, and before all of it was cleared. */
  const undo = useRef<(readonly Stroke[])[]>([]);

  useEffect(() => {
    const found = source.current!;
    const begin = () => {
      const { naturalWidth: width, naturalHeight: height } = found;
      const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
      canvas.current!.width = Math.max(1, Math.round(width * scale));
      canvas.current!.height = Math.max(1, Math.round(height * scale));
      drawStrokes(context(), strokes.current);
      setReady(true);
    };
    const fail = () => {
      notifyFailure(new Error(t().mask.unreadable));
      onClose();
    };
    if (found.complete && found.naturalWidth > 0) begin();
    else if (found.complete) fail();
    else {
      found.addEventListener('load', begin, { once: true });
      found.addEventListener('error', fail, { once: true });
    }
  }, []);

  const context = () => canvas.current!.getContext('2d')!;
  const change = (to: readonly Stroke[]) => {
    undo.current = [...undo.current, strokes.current];
    strokes.current = to;
  };
  const startStroke = (at: Spot) => {
    const stroke = { spots: [at], width: size / 100, isErasing };
    current.current = stroke;
    change([...strokes.current, stroke]);
    drawStroke(context(), stroke);
    spot.current = at;
  };
  const goOnTo = (to: Spot) => {
    const stroke = strokes.current.at(-1);
    // It may have been undone, or cleared, by the keyboard.
    if (!stroke || stroke !== current.current) return;
    stroke.spots.push(to);
    drawStroke(context(), stroke, stroke.spots.length - 2);
    spot.current = to;
  };
  const spotOf = (event: PointerEvent): Spot => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  };
  const byKey = (event: KeyboardEvent) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === ' ') startStroke(spot.current);
    if (move) {
      const inside = (value: number) => Math.min(1, Math.max(0, value));
      const { x, y } = spot.current;
      const to = { x: inside(x + move[0]! * STEP), y: inside(y + move[1]! * STEP) };
      if (event.shiftKey) {
        startStroke({ x, y });
        goOnTo(to);
      } else spot.current = to;
    }
    if (move || event.key === ' ') event.preventDefault();
  };

  const done = () => {
    const { naturalWidth: width, naturalHeight: height } = source.current!;
    const draw = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
    drawStrokes(draw, strokes.current);
    const painted = draw.getImageData(0, 0, width, height);
    draw.globalCompositeOperation = 'copy';
    draw.drawImage(source.current!, 0, 0);
    onDone(strokes.current, painted, draw.getImageData(0, 0, width, height));
    onClose();
  };

  const words = t().mask;
  return (
    <Dialog title={words.title} onClose={onClose} wide>
      <p class="field-about">{words.about}</p>
      <div class="painter">
        <img ref={source} src={image} alt="" />
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label={words.canvas}
          onKeyDown={byKey}
          onPointerDown={(event) => {
            // Of several fingers the first paints, and of a mouse its main button.
            if (!event.isPrimary || event.button !== 0) return;
            canvas.current!.setPointerCapture(event.pointerId);
            startStroke(spotOf(event));
          }}
          onPointerMove={(event) =>
            canvas.current!.hasPointerCapture(event.pointerId) && goOnTo(spotOf(event))
          }
        />
      </div>
      {/* Of no form: Enter would send the one that the dialog lies in. */}
      <div class="row">
        <label class="row">
          {words.brush}
          <input
            type="range"
            form="none"
            min="1"
            max="40"
            value={size}
            onInput={(event) => setSize(Number(event.currentTarget.value))}
          />
        </label>
        <label class="row">
          <input
            type="checkbox"
            form="none"
            checked={isErasing}
            onInput={(event) => setErasing(event.currentTarget.checked)}
          />
          {words.erase}
        </label>
        <Button
          onClick={() => {
            strokes.current = undo.current.pop() ?? strokes.current;
            drawStrokes(context(), strokes.current);
          }}
        >
          {words.undo}
        </Button>
        <Button
          onClick={() => {
            change([]);
            drawStrokes(context(), []);
          }}
        >
          {words.clear}
        </Button>
        <span class="grow" />
        <Button kind="main" disabled={!isReady} onClick={done}>
          {words.done}
        </Button>
      </div>
    </Dialog>
  );
}
