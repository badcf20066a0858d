// An astronaut from the shoulders up. Pure.

import { box, type Colour, ellipse, type Shape, smooth } from '../canvas.ts';
import { outlinesOn, type Stage } from './stage.ts';

export function astronaut(shapes: Shape[], stage: Stage): void {
  const add = outlinesOn(shapes, stage, 0.3, 0.48);
  add(
    smooth([
      [-1, 2],
      [-0.95, 1.1],
      [-0.5, 0.72],
      [0.5, 0.72],
      [0.95, 1.1],
      [1, 2],
    ]),
    [226, 230, 238],
  );
  add(ellipse(0, 0, 0.86), [240, 243, 248]);
  add(ellipse(0, 0.03, 0.66, 0.58), [30, 40, 74]);
  add(ellipse(-0.24, -0.2, 0.2, 0.1, -0.5), [190, 214, 255], 0.6);
  add(ellipse(0.2, 0.2, 0.3, 0.16, -0.4), [255, 170, 90], 0.35);
  add(box(-0.3, 1.15, 0.3, 1.45), [90, 104, 130]);
  for (const [x, colour] of [
    [-0.18, [240, 90, 80]],
    [0, [250, 200, 80]],
    [0.18, [90, 200, 140]],
  ] as [number, Colour][])
    add(ellipse(x, 1.3, 0.06), colour);
}
