// A cake with candles on a table. Pure.

import { box, ellipse, mix, ofHue, type Shape, smooth } from '../canvas.ts';
import { outlinesOn, type Stage, WHITE } from './stage.ts';
import { table } from './table.ts';

export function cake(shapes: Shape[], stage: Stage): void {
  table(shapes, stage);
  const icing = ofHue(stage.hue ?? 330 + stage.random() * 30, 0.6, 0.74);
  const add = outlinesOn(shapes, stage, 0.32, 0.6);
  add(ellipse(0, 0.62, 1.15, 0.17), [250, 248, 244]);
  add(
    smooth(
      [
        [-0.9, -0.1],
        [0.9, -0.1],
        [0.88, 0.62],
        [-0.88, 0.62],
      ],
      2,
    ),
    [212, 156, 96],
  );
  add(box(-0.86, 0.24, 0.86, 0.32), WHITE);
  add(
    smooth(
      [
        [-0.96, -0.3],
        [0.96, -0.3],
        [0.94, 0.12],
        [0.7, 0.02],
        [0.5, 0.22],
        [0.24, 0.04],
        [0, 0.24],
        [-0.26, 0.04],
        [-0.5, 0.2],
        [-0.7, 0.02],
        [-0.94, 0.12],
      ],
      2,
    ),
    icing,
  );
  add(ellipse(0, -0.24, 0.9, 0.16), mix(icing, WHITE, 0.35));
  for (const x of [-0.5, 0, 0.5]) {
    add(box(x - 0.035, -0.72, x + 0.035, -0.24), ofHue(200 + x * 200, 0.6, 0.6));
    add(
      smooth(
        [
          [x, -1],
          [x + 0.09, -0.8],
          [x, -0.7],
          [x - 0.09, -0.8],
        ],
        2,
      ),
      [255, 190, 70],
    );
  }
}
