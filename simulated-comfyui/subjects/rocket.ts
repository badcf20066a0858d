// A rocket that rises. Pure.

import { ellipse, ofHue, type Shape, smooth } from '../canvas.ts';
import { outlinesOn, type Stage } from './stage.ts';

export function rocket(shapes: Shape[], stage: Stage): void {
  const fin = ofHue(stage.hue ?? 4, 0.7, 0.52);
  const add = outlinesOn(shapes, stage, 0.3, 0.44);
  add(
    smooth([
      [-0.26, 0.8],
      [0.26, 0.8],
      [0.1, 1.5],
      [0, 1.9],
      [-0.1, 1.5],
    ]),
    [255, 150, 60],
    0.9,
  );
  add(
    smooth([
      [-0.14, 0.8],
      [0.14, 0.8],
      [0, 1.4],
    ]),
    [255, 232, 140],
  );
  add(
    smooth(
      [
        [-0.3, 0.2],
        [-0.85, 0.95],
        [-0.3, 0.85],
      ],
      1,
    ),
    fin,
  );
  add(
    smooth(
      [
        [0.3, 0.2],
        [0.85, 0.95],
        [0.3, 0.85],
      ],
      1,
    ),
    fin,
  );
  add(
    smooth([
      [0, -1.35],
      [0.44, -0.5],
      [0.4, 0.85],
      [-0.4, 0.85],
      [-0.44, -0.5],
    ]),
    [240, 242, 246],
  );
  add(
    smooth(
      [
        [0, -1.2],
        [0.25, -0.72],
        [-0.25, -0.72],
      ],
      2,
    ),
    fin,
  );
  add(ellipse(0, -0.28, 0.21), fin);
  add(ellipse(0, -0.28, 0.15), [120, 196, 236]);
}
