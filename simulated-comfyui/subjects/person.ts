// A person from the shoulders up. Pure.

import { ellipse, mix, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';

/** @param long of hair */
export function person(shapes: Shape[], stage: Stage, long: boolean): void {
  const { random, hue } = stage;
  const skin = mix([250, 214, 186], [112, 72, 50], random() * 0.9);
  const hair = mix([52, 34, 30], [196, 136, 70], random() ** 2);
  const cloth = ofHue(hue ?? random() * 360, 0.5, 0.45);
  const add = outlinesOn(shapes, stage, 0.3, 0.48);
  if (long)
    add(
      smooth([
        [-0.72, 1.15],
        [-0.74, -0.3],
        [-0.3, -0.95],
        [0.3, -0.95],
        [0.74, -0.3],
        [0.72, 1.15],
      ]),
      mix(hair, INK, 0.2),
    );
  add(
    smooth([
      [-1.1, 2.2],
      [-1.02, 1.25],
      [-0.4, 0.86],
      [0.4, 0.86],
      [1.02, 1.25],
      [1.1, 2.2],
    ]),
    cloth,
  );
  add(
    smooth(
      [
        [-0.22, 0.4],
        [0.22, 0.4],
        [0.26, 1.05],
        [0, 1.2],
        [-0.26, 1.05],
      ],
      2,
    ),
    mix(skin, INK, 0.16),
  );
  add(ellipse(0, 0, 0.5, 0.64), skin);
  add(ellipse(-0.5, 0.05, 0.08, 0.13), skin);
  add(ellipse(0.5, 0.05, 0.08, 0.13), skin);
  add(
    smooth([
      [-0.58, 0.02],
      [-0.56, -0.6],
      [-0.1, -0.86],
      [0.5, -0.7],
      [0.58, 0.02],
      [0.42, -0.3],
      [-0.1, -0.36],
      [-0.44, -0.24],
    ]),
    hair,
  );
  for (const side of [-1, 1]) {
    add(ellipse(side * 0.19, 0.0, 0.062, 0.045), WHITE);
    add(ellipse(side * 0.19, 0.0, 0.036), INK);
    add(
      smooth(
        [
          [side * 0.1, -0.11],
          [side * 0.3, -0.12],
          [side * 0.29, -0.09],
          [side * 0.1, -0.08],
        ],
        1,
      ),
      mix(hair, INK, 0.3),
    );
    add(ellipse(side * 0.3, 0.2, 0.1, 0.07), [236, 120, 110], 0.35);
  }
  add(
    smooth(
      [
        [-0.02, -0.02],
        [0.02, -0.02],
        [0.07, 0.17],
        [-0.05, 0.18],
      ],
      2,
    ),
    mix(skin, INK, 0.14),
  );
  add(
    smooth(
      [
        [-0.15, 0.3],
        [0, 0.33],
        [0.15, 0.3],
        [0, 0.42],
      ],
      2,
    ),
    [196, 82, 84],
  );
}
