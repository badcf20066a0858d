// A lighthouse on its rock. Pure.

import { box, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';

export function lighthouse(shapes: Shape[], stage: Stage): void {
  const band = ofHue(stage.hue ?? 4, 0.66, 0.48);
  const add = outlinesOn(shapes, stage, 0.3, 0.56);
  add(
    smooth([
      [-1.3, 1.7],
      [-0.8, 0.9],
      [0.7, 0.86],
      [1.4, 1.7],
    ]),
    [74, 70, 78],
  );
  add(
    [
      [0.1, -1.02],
      [2.6, -1.7],
      [2.6, -0.6],
    ],
    [255, 240, 180],
    0.28,
  );
  for (let ring = 0; ring < 5; ring++) {
    const [top, bottom] = [-0.8 + ring * 0.36, -0.44 + ring * 0.36];
    const wide = (y: number) => 0.25 + (y + 0.8) * 0.09;
    add(
      [
        [-wide(top), top],
        [wide(top), top],
        [wide(bottom), bottom],
        [-wide(bottom), bottom],
      ],
      ring % 2 === 0 ? WHITE : band,
    );
  }
  add(box(-0.32, -0.86, 0.32, -0.78), INK);
  add(box(-0.17, -1.14, 0.17, -0.86), [255, 230, 140]);
  add(
    [
      [-0.24, -1.14],
      [0, -1.42],
      [0.24, -1.14],
    ],
    band,
  );
}
