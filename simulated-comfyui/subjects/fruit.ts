// A fruit on a table. Pure.

import { ellipse, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';
import { table } from './table.ts';

export function fruit(shapes: Shape[], stage: Stage): void {
  table(shapes, stage);
  const body = ofHue(stage.hue ?? 2 + stage.random() * 20, 0.72, 0.5);
  const add = outlinesOn(shapes, stage, 0.34, 0.56);
  add(ellipse(0, 0.72, 0.8, 0.1), INK, 0.3);
  add(
    smooth([
      [0, -0.5],
      [0.4, -0.72],
      [0.95, -0.4],
      [0.86, 0.5],
      [0.3, 0.84],
      [0, 0.74],
      [-0.3, 0.84],
      [-0.86, 0.5],
      [-0.95, -0.4],
      [-0.4, -0.72],
    ]),
    body,
  );
  add(ellipse(-0.42, -0.18, 0.13, 0.26, 0.4), WHITE, 0.35);
  add(
    smooth(
      [
        [-0.03, -0.44],
        [0.03, -0.44],
        [0.12, -0.9],
        [0.05, -0.92],
      ],
      1,
    ),
    [92, 60, 40],
  );
  add(
    smooth([
      [0.08, -0.72],
      [0.3, -1.02],
      [0.72, -0.98],
      [0.44, -0.7],
    ]),
    [92, 168, 80],
  );
}
