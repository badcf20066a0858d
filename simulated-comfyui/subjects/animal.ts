// The face of an animal in its coat. Pure.

import { type Colour, ellipse, mix, ofHue, type Point, type Shape, smooth } from '../canvas.ts';
import { INK, outlinesOn, type Stage, WHITE } from './stage.ts';

export interface Coat {
  colour: Colour;
  belly: Colour;
  ears: 'pointed' | 'round' | 'long' | 'hanging' | 'tufts';
  muzzle: 'snout' | 'flat' | 'beak';
}

export function animal(shapes: Shape[], stage: Stage, { colour, belly, ears, muzzle }: Coat): void {
  const { hue, tone } = stage;
  const toned: Colour | undefined = tone && (tone === 'black' ? [58, 54, 66] : [236, 232, 228]);
  const coat = toned ?? (hue === undefined ? colour : tinted(colour, hue));
  const shade = mix(coat, INK, 0.28);
  const add = outlinesOn(shapes, stage, 0.3, 0.58);
  const both = (outline: Point[], of: Colour) => {
    add(outline, of);
    add(
      outline.map(([x, y]) => [-x, y]),
      of,
    );
  };
  // The body leaves the picture below.
  add(
    smooth([
      [-0.62, 1.6],
      [-0.62, 0.9],
      [-0.3, 0.5],
      [0.3, 0.5],
      [0.62, 0.9],
      [0.62, 1.6],
    ]),
    shade,
  );
  add(ellipse(0, 1.12, 0.34, 0.46), mix(belly, coat, 0.15));
  if (ears === 'pointed') {
    both(
      smooth(
        [
          [-0.72, -0.95],
          [-0.16, -0.45],
          [-0.7, -0.05],
        ],
        2,
      ),
      coat,
    );
    both(
      smooth(
        [
          [-0.64, -0.78],
          [-0.3, -0.46],
          [-0.62, -0.2],
        ],
        2,
      ),
      mix(INK, coat, 0.35),
    );
  } else if (ears === 'round') {
    both(ellipse(-0.5, -0.52, 0.24), coat);
    both(ellipse(-0.5, -0.52, 0.13), belly);
  } else if (ears === 'long') {
    both(ellipse(-0.26, -0.98, 0.15, 0.52, -0.12), coat);
    both(ellipse(-0.26, -0.96, 0.07, 0.38, -0.12), [236, 176, 176]);
  } else if (ears === 'tufts')
    both(
      smooth(
        [
          [-0.66, -0.8],
          [-0.2, -0.5],
          [-0.6, -0.2],
        ],
        1,
      ),
      shade,
    );
  add(ellipse(0, 0, 0.68, 0.6), coat);
  if (ears === 'hanging') both(ellipse(-0.64, 0.06, 0.19, 0.46, 0.22), shade);
  both(
    smooth([
      [-0.68, 0.05],
      [-0.3, 0.1],
      [-0.05, 0.5],
      [-0.3, 0.62],
      [-0.6, 0.4],
    ]),
    belly,
  );
  if (muzzle === 'beak') {
    both(ellipse(-0.26, -0.06, 0.26), belly);
    both(ellipse(-0.26, -0.06, 0.19), [250, 190, 60]);
    both(ellipse(-0.26, -0.06, 0.12), INK);
    both(ellipse(-0.23, -0.11, 0.035), WHITE);
    add(
      [
        [-0.09, 0.06],
        [0.09, 0.06],
        [0, 0.3],
      ],
      [236, 160, 50],
    );
    return;
  }
  if (muzzle === 'snout') {
    add(ellipse(0, 0.3, 0.27, 0.24), belly);
    add(
      smooth(
        [
          [-0.16, 0.12],
          [0.16, 0.12],
          [0.04, 0.32],
          [-0.04, 0.32],
        ],
        2,
      ),
      INK,
    );
  } else {
    both(ellipse(-0.12, 0.3, 0.16, 0.13), belly);
    add(
      smooth(
        [
          [-0.09, 0.15],
          [0.09, 0.15],
          [0, 0.26],
        ],
        2,
      ),
      [226, 130, 140],
    );
    for (const y of [0.24, 0.32])
      both(
        [
          [-0.24, y],
          [-0.74, y - 0.05 + (y - 0.24)],
          [-0.24, y + 0.012],
        ],
        WHITE,
      );
  }
  add(
    [
      [-0.012, 0.28],
      [0.012, 0.28],
      [0.012, 0.42],
      [-0.012, 0.42],
    ],
    INK,
  );
  both(ellipse(-0.27, -0.06, 0.095, 0.115), INK);
  both(ellipse(-0.24, -0.1, 0.032), WHITE);
}

function tinted(colour: Colour, hue: number): Colour {
  const light = (Math.max(...colour) + Math.min(...colour)) / 510;
  return ofHue(hue, 0.62, Math.min(0.62, Math.max(0.36, light)));
}
