// Paints a mask over an image, by pointer or by keys: arrows move the brush, space paints. What comes out has the image's size.

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../text/index.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { notifyFailure } from './notices.tsx';

interface MaskPainterProps {
  /** An address of the image. */
  image: string;
  /** What was painted on it before. */
  before?: ImageData | undefined;
  /** @param painted opaque where it was painted, of the image's size. @param pixels the image itself */
  onDone: (painted: ImageData, pixels: ImageData) => void;
  onClose: () => void;
}

interface Spot {
  x: number;
  y: number;
}

const STEP = 1 / 50;

export function MaskPainter({ image, before, onDone, onClose }: MaskPainterProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const source = useRef<HTMLImageElement>(null);
  const [size, setSize] = useState(10);
  const [isErasing, setErasing] = useState(false);
  const [isReady, setReady] = useState(false);
  const spot = useRef<Spot>({ x: 0.5, y: 0.5 });
  const last = useRef<Spot | undefined>(undefined);
  const undo = useRef<ImageData[]>([]);

  useEffect(() => {
    const found = source.current!;
    const begin = () => {
      canvas.current!.width = found.naturalWidth;
      canvas.current!.height = found.naturalHeight;
      if (before) context().putImageData(before, 0, 0);
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

  const context = () => canvas.current!.getContext('2d', { willReadFrequently: true })!;
  const remember = () => {
    const { width, height } = canvas.current!;
    undo.current = [...undo.current.slice(-9), context().getImageData(0, 0, width, height)];
  };
  /** Parts of the image's width and height. */
  const paintTo = (to: Spot) => {
    const { width, height } = canvas.current!;
    const from = last.current ?? to;
    const draw = context();
    draw.globalCompositeOperation = isErasing ? 'destination-out' : 'source-over';
    draw.lineCap = 'round';
    draw.lineWidth = (size / 100) * Math.max(width, height);
    draw.strokeStyle = 'rgb(244, 63, 94)';
    draw.beginPath();
    draw.moveTo(from.x * width, from.y * height);
    draw.lineTo(to.x * width + 0.01, to.y * height);
    draw.stroke();
    last.current = to;
    spot.current = to;
  };
  const spotOf = (event: PointerEvent): Spot => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  };
  const byKey = (event: KeyboardEvent) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === ' ') {
      remember();
      last.current = undefined;
      paintTo(spot.current);
    }
    if (move) {
      const inside = (value: number) => Math.min(1, Math.max(0, value));
      const to = { x: inside(spot.current.x + move[0]! * STEP), y: inside(spot.current.y + move[1]! * STEP) };
      if (event.shiftKey) paintTo(to);
      else spot.current = to;
    }
    if (move || event.key === ' ') event.preventDefault();
  };

  const done = () => {
    const { width, height } = canvas.current!;
    const painted = context().getImageData(0, 0, width, height);
    const draw = new OffscreenCanvas(width, height).getContext('2d')!;
    draw.drawImage(source.current!, 0, 0);
    onDone(painted, draw.getImageData(0, 0, width, height));
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
            canvas.current!.setPointerCapture(event.pointerId);
            remember();
            last.current = undefined;
            paintTo(spotOf(event));
          }}
          onPointerMove={(event) => event.buttons > 0 && paintTo(spotOf(event))}
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
            const last = undo.current.pop();
            if (last) context().putImageData(last, 0, 0);
          }}
        >
          {words.undo}
        </Button>
        <Button
          onClick={() => {
            remember();
            context().clearRect(0, 0, canvas.current!.width, canvas.current!.height);
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
