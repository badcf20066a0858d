// A house. Pure.

import { box, type Colour, ellipse, ofHue, type Shape } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';

export function house(shapes: Shape[], stage: Stage): void {
  const wall = stage.hue === undefined ? ([246, 230, 204] as Colour) : ofHue(stage.hue, 0.5, 0.62);
  const add = outlinesOn(shapes, stage, 0.3, 0.68);
  add(ellipse(0, 0.82, 1.3, 0.16), INK, 0.2);
  add(box(0.36, -1.05, 0.56, -0.4), [150, 84, 70]);
  add(box(-0.8, -0.25, 0.8, 0.85), wall);
  add(
    [
      [-1, -0.22],
      [0, -1.12],
      [1, -0.22],
    ],
    [176, 74, 62],
  );
  add(box(-0.16, 0.2, 0.2, 0.85), [122, 78, 52]);
  for (const x of [-0.62, 0.34]) {
    add(box(x, 0.02, x + 0.3, 0.34), stage.dark ? [255, 214, 120] : [166, 208, 232]);
    add(box(x + 0.14, 0.02, x + 0.16, 0.34), WHITE);
  }
}
