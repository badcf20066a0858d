// A hot-air balloon. Pure.

import { box, ellipse, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage } from './stage.ts';

export function balloon(shapes: Shape[], stage: Stage): void {
  const hue = stage.hue ?? stage.random() * 360;
  const add = outlinesOn(shapes, stage, 0.3, 0.38);
  for (let stripe = 0; stripe < 5; stripe++)
    add(
      smooth(ellipse(0, 0, 0.86 - stripe * 0.18, 0.95)),
      stripe % 2 === 0 ? ofHue(hue, 0.68, 0.56) : [252, 240, 214],
    );
  add(
    smooth(
      [
        [-0.5, 0.72],
        [0.5, 0.72],
        [0.16, 1.14],
        [-0.16, 1.14],
      ],
      1,
    ),
    ofHue(hue, 0.6, 0.42),
  );
  for (const x of [-0.13, 0.12]) add(box(x, 1.1, x + 0.012, 1.34), INK);
  add(
    smooth(
      [
        [-0.18, 1.32],
        [0.18, 1.32],
        [0.15, 1.6],
        [-0.15, 1.6],
      ],
      1,
    ),
    [150, 98, 58],
  );
}
