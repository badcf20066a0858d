// A flower. Pure.

import { ellipse, mix, ofHue, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage } from './stage.ts';

export function flower(shapes: Shape[], stage: Stage): void {
  const { random } = stage;
  const petal = ofHue(stage.hue ?? random() * 360, 0.68, 0.62);
  const count = 8 + Math.floor(random() * 5);
  const add = outlinesOn(shapes, stage, 0.3, 0.46);
  add(
    smooth(
      [
        [-0.05, 0.2],
        [0.05, 0.2],
        [0.14, 2.2],
        [0.02, 2.2],
      ],
      2,
    ),
    [64, 132, 74],
  );
  add(
    smooth([
      [0.05, 1.3],
      [0.5, 0.82],
      [0.95, 0.86],
      [0.6, 1.2],
    ]),
    [82, 156, 86],
  );
  for (const [scale, share] of [
    [1, 0.18],
    [0.82, 0],
  ] as const)
    for (let at = 0; at < count; at++) {
      const angle = ((at + share * 3) / count) * 2 * Math.PI;
      add(
        ellipse(Math.cos(angle) * 0.56 * scale, Math.sin(angle) * 0.56 * scale, 0.42 * scale, 0.2, angle),
        mix(petal, INK, share),
      );
    }
  add(ellipse(0, 0, 0.26), [250, 196, 72]);
  add(ellipse(0, 0, 0.17), [214, 140, 50]);
}
