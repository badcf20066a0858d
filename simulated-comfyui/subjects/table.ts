// What food stands on. Pure.

import { box, mix, ofHue, type Shape } from '../canvas.ts';
import { type Stage, WHITE } from './stage.ts';

export function table(shapes: Shape[], { w, h, random }: Stage): void {
  const wood = ofHue(24 + random() * 10, 0.4, 0.42);
  shapes.push({ outline: box(-0.1, h * 0.72, w + 0.1, h + 0.1), colour: wood });
  shapes.push({ outline: box(-0.1, h * 0.72, w + 0.1, h * 0.735), colour: mix(wood, WHITE, 0.3) });
}
