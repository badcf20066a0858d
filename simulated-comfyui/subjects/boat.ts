// A boat under sail. Pure.

import { box, ellipse, mix, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';

export function boat(shapes: Shape[], stage: Stage): void {
  const sail = stage.hue === undefined ? WHITE : ofHue(stage.hue, 0.65, 0.55);
  const add = outlinesOn(shapes, stage, 0.26, 0.66);
  add(box(-0.02, -1.5, 0.03, 0.2), [92, 62, 44]);
  add(
    [
      [0.08, -1.4],
      [0.85, 0.02],
      [0.08, 0.02],
    ],
    sail,
  );
  add(
    [
      [-0.07, -1.15],
      [-0.62, 0.02],
      [-0.07, 0.02],
    ],
    mix(sail, INK, 0.14),
  );
  add(
    smooth(
      [
        [-1, 0.12],
        [1, 0.12],
        [0.72, 0.52],
        [-0.66, 0.52],
      ],
      2,
    ),
    [146, 70, 52],
  );
  add(ellipse(0, 0.56, 0.85, 0.06), WHITE, 0.4);
}
