// What a subject is drawn on, and with. Pure.

import type { Colour, Point, Shape } from '../canvas.ts';

export interface Stage {
  w: number;
  h: number;
  random: () => number;
  /** Of the colour that the prompt names. */
  hue: number | undefined;
  tone: 'black' | 'white' | undefined;
  dark: boolean;
}

export const INK: Colour = [38, 30, 40];
export const WHITE: Colour = [255, 252, 245];

/** Adds outlines about a place in the middle. @param size of their unit. @param y how far down it is, as a share of the height */
export function outlinesOn(shapes: Shape[], { w, h }: Stage, size: number, y: number) {
  return (outline: Point[], colour: Colour, alpha = 1): void => {
    const placed = outline.map(([px, py]): Point => [w / 2 + px * size, h * y + py * size]);
    shapes.push({ outline: placed, colour, alpha });
  };
}
