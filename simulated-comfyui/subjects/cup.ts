// A cup of something hot on a table. Pure.

import { ellipse, mix, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';
import { table } from './table.ts';

export function cup(shapes: Shape[], stage: Stage): void {
  table(shapes, stage);
  const mug = ofHue(stage.hue ?? stage.random() * 360, 0.55, 0.55);
  const add = outlinesOn(shapes, stage, 0.32, 0.6);
  add(ellipse(0, 0.72, 0.95, 0.16), [250, 248, 244]);
  add(ellipse(0, 0.69, 0.6, 0.09), [214, 208, 204]);
  add(ellipse(0.62, 0.08, 0.3, 0.32), mug);
  add(ellipse(0.6, 0.08, 0.17, 0.19), mix(stage.dark ? INK : WHITE, mug, 0.35));
  add(
    smooth(
      [
        [-0.62, -0.4],
        [0.62, -0.4],
        [0.56, 0.5],
        [0.3, 0.72],
        [-0.3, 0.72],
        [-0.56, 0.5],
      ],
      2,
    ),
    mug,
  );
  add(ellipse(0, -0.33, 0.56, 0.13), mix(mug, WHITE, 0.45));
  add(ellipse(0, -0.31, 0.48, 0.09), [84, 50, 34]);
  for (const x of [-0.2, 0.05, 0.28])
    add(
      smooth([
        [x, -0.5],
        [x + 0.1, -0.75],
        [x - 0.06, -1],
        [x + 0.06, -1.3],
        [x + 0.02, -1],
        [x + 0.16, -0.74],
        [x + 0.05, -0.5],
      ]),
      WHITE,
      0.35,
    );
}
