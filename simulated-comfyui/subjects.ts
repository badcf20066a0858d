// Subjects that a prompt may name, as simple shapes: faces of animals, a person, food, a few things. Pure. What no word names
// stays a landscape.
import { box, type Colour, ellipse, mix, type Point, type Shape, smooth } from './canvas.ts';

export interface Stage {
  w: number;
  h: number;
  random: () => number;
  /** Of the colour that the prompt names. */
  hue: number | undefined;
  tone: 'black' | 'white' | undefined;
  dark: boolean;
}

export interface Subject {
  ground: 'hills' | 'forest' | 'sea' | 'studio';
  draw(shapes: Shape[], stage: Stage): void;
}

const INK: Colour = [38, 30, 40];
const WHITE: Colour = [255, 252, 245];

interface Coat {
  colour: Colour;
  belly: Colour;
  ears: 'pointed' | 'round' | 'long' | 'hanging' | 'tufts';
  muzzle: 'snout' | 'flat' | 'beak';
}
const COATS: [RegExp, Coat][] = [
  [/\b(fox\w*|fuchs|füchse)\b/, { colour: [226, 104, 44], belly: WHITE, ears: 'pointed', muzzle: 'snout' }],
  [
    /\b(cat|cats|kitten\w*|tiger|lynx|katze\w*|kater|kätzchen)\b/,
    { colour: [128, 124, 140], belly: [236, 232, 236], ears: 'pointed', muzzle: 'flat' },
  ],
  [
    /\b(dog|dogs|puppy|hund\w*|welpe)\b/,
    { colour: [176, 120, 72], belly: [244, 226, 200], ears: 'hanging', muzzle: 'snout' },
  ],
  [
    /\b(wolf|wolves|husky|wölfe)\b/,
    { colour: [104, 112, 126], belly: [230, 234, 240], ears: 'pointed', muzzle: 'snout' },
  ],
  [
    /\b(bears?|panda|bär\w*|teddy)\b/,
    { colour: [112, 76, 54], belly: [206, 168, 130], ears: 'round', muzzle: 'snout' },
  ],
  [
    /\b(rabbit|bunny|hare|hase\w*|kaninchen)\b/,
    { colour: [196, 178, 164], belly: WHITE, ears: 'long', muzzle: 'flat' },
  ],
  [/\b(owl|eule\w*|uhu)\b/, { colour: [124, 92, 70], belly: [222, 196, 158], ears: 'tufts', muzzle: 'beak' }],
];

/** The first that the words name. @param words in lower case */
export function subjectIn(words: string): Subject | undefined {
  const coat = COATS.find(([name]) => name.test(words))?.[1];
  if (coat) return { ground: 'forest', draw: (shapes, stage) => animal(shapes, stage, coat) };
  return SUBJECTS.find(([name]) => name.test(words))?.[1];
}

/** A sizing about the middle of the lower part. */
function at({ w, h }: Stage, size: number, y = 0.58): (points: Point[]) => Point[] {
  return (points) => points.map(([px, py]) => [w / 2 + px * size, h * y + py * size]);
}

function animal(shapes: Shape[], stage: Stage, { colour, belly, ears, muzzle }: Coat): void {
  const put = at(stage, 0.3);
  const { hue, tone } = stage;
  const toned: Colour | undefined = tone && (tone === 'black' ? [58, 54, 66] : [236, 232, 228]);
  const coat = toned ?? (hue === undefined ? colour : tinted(colour, hue));
  const shade = mix(coat, INK, 0.28);
  const add = (outline: Point[], of: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour: of, alpha });
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

/** A colour of this hue, as light as it was. */
function tinted(colour: Colour, hue: number): Colour {
  const light = (Math.max(...colour) + Math.min(...colour)) / 510;
  return hueOf(hue, 0.62, Math.min(0.62, Math.max(0.36, light)));
}

function hueOf(hue: number, saturation: number, lightness: number): Colour {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    return 255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [part(0), part(8), part(4)];
}

function person(shapes: Shape[], stage: Stage, astronaut: boolean, long: boolean): void {
  const put = at(stage, 0.3, 0.48);
  const { random, hue } = stage;
  const skin = mix([250, 214, 186], [112, 72, 50], random() * 0.9);
  const hair = mix([52, 34, 30], [196, 136, 70], random() ** 2);
  const cloth = hueOf(hue ?? random() * 360, 0.5, 0.45);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
  if (astronaut) {
    add(
      smooth([
        [-1, 2],
        [-0.95, 1.1],
        [-0.5, 0.72],
        [0.5, 0.72],
        [0.95, 1.1],
        [1, 2],
      ]),
      [226, 230, 238],
    );
    add(ellipse(0, 0, 0.86), [240, 243, 248]);
    add(ellipse(0, 0.03, 0.66, 0.58), [30, 40, 74]);
    add(ellipse(-0.24, -0.2, 0.2, 0.1, -0.5), [190, 214, 255], 0.6);
    add(ellipse(0.2, 0.2, 0.3, 0.16, -0.4), [255, 170, 90], 0.35);
    add(box(-0.3, 1.15, 0.3, 1.45), [90, 104, 130]);
    for (const [x, colour] of [
      [-0.18, [240, 90, 80]],
      [0, [250, 200, 80]],
      [0.18, [90, 200, 140]],
    ] as [number, Colour][])
      add(ellipse(x, 1.3, 0.06), colour);
    return;
  }
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

function table(shapes: Shape[], { w, h }: Stage, random: () => number): void {
  const wood = hueOf(24 + random() * 10, 0.4, 0.42);
  shapes.push({ outline: box(-0.1, h * 0.72, w + 0.1, h + 0.1), colour: wood });
  shapes.push({ outline: box(-0.1, h * 0.72, w + 0.1, h * 0.735), colour: mix(wood, WHITE, 0.3) });
}

function cup(shapes: Shape[], stage: Stage): void {
  table(shapes, stage, stage.random);
  const put = at(stage, 0.32, 0.6);
  const mug = hueOf(stage.hue ?? stage.random() * 360, 0.55, 0.55);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
  add(ellipse(0, 0.72, 0.95, 0.16), [250, 248, 244]);
  add(ellipse(0, 0.69, 0.6, 0.09), [214, 208, 204]);
  add(ellipse(0.62, 0.08, 0.3, 0.32), mug);
  add(ellipse(0.6, 0.08, 0.17, 0.19), mix(stage.dark ? INK : WHITE, mug, 0.35));
  add(
    smooth(
      [
        [-0.62, -0.4],
        [0.62, -0.4],
        [0.56, 0.5],
        [0.3, 0.72],
        [-0.3, 0.72],
        [-0.56, 0.5],
      ],
      2,
    ),
    mug,
  );
  add(ellipse(0, -0.33, 0.56, 0.13), mix(mug, WHITE, 0.45));
  add(ellipse(0, -0.31, 0.48, 0.09), [84, 50, 34]);
  for (const x of [-0.2, 0.05, 0.28])
    add(
      smooth([
        [x, -0.5],
        [x + 0.1, -0.75],
        [x - 0.06, -1],
        [x + 0.06, -1.3],
        [x + 0.02, -1],
        [x + 0.16, -0.74],
        [x + 0.05, -0.5],
      ]),
      WHITE,
      0.35,
    );
}

function fruit(shapes: Shape[], stage: Stage): void {
  table(shapes, stage, stage.random);
  const body = hueOf(stage.hue ?? 2 + stage.random() * 20, 0.72, 0.5);
  const put = at(stage, 0.34, 0.56);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
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

function cake(shapes: Shape[], stage: Stage): void {
  table(shapes, stage, stage.random);
  const icing = hueOf(stage.hue ?? 330 + stage.random() * 30, 0.6, 0.74);
  const put = at(stage, 0.32, 0.6);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
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
    add(box(x - 0.035, -0.72, x + 0.035, -0.24), hueOf(200 + x * 200, 0.6, 0.6));
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

function flower(shapes: Shape[], stage: Stage): void {
  const { random } = stage;
  const petal = hueOf(stage.hue ?? random() * 360, 0.68, 0.62);
  const count = 8 + Math.floor(random() * 5);
  const put = at(stage, 0.3, 0.46);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
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

function boat(shapes: Shape[], stage: Stage): void {
  const sail = stage.hue === undefined ? WHITE : hueOf(stage.hue, 0.65, 0.55);
  const put = at(stage, 0.26, 0.66);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
  add(box(-0.02, -1.5, 0.03, 0.2), [92, 62, 44]);
  add(
    [
      [0.08, -1.4],
      [0.85, 0.02],
      [0.08, 0.02],
    ],
    sail,
  );
  add(
    [
      [-0.07, -1.15],
      [-0.62, 0.02],
      [-0.07, 0.02],
    ],
    mix(sail, INK, 0.14),
  );
  add(
    smooth(
      [
        [-1, 0.12],
        [1, 0.12],
        [0.72, 0.52],
        [-0.66, 0.52],
      ],
      2,
    ),
    [146, 70, 52],
  );
  add(ellipse(0, 0.56, 0.85, 0.06), WHITE, 0.4);
}

function balloon(shapes: Shape[], stage: Stage): void {
  const hue = stage.hue ?? stage.random() * 360;
  const put = at(stage, 0.3, 0.38);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
  for (let stripe = 0; stripe < 5; stripe++)
    add(
      smooth(ellipse(0, 0, 0.86 - stripe * 0.18, 0.95)),
      stripe % 2 === 0 ? hueOf(hue, 0.68, 0.56) : [252, 240, 214],
    );
  add(
    smooth(
      [
        [-0.5, 0.72],
        [0.5, 0.72],
        [0.16, 1.14],
        [-0.16, 1.14],
      ],
      1,
    ),
    hueOf(hue, 0.6, 0.42),
  );
  for (const x of [-0.13, 0.12]) add(box(x, 1.1, x + 0.012, 1.34), INK);
  add(
    smooth(
      [
        [-0.18, 1.32],
        [0.18, 1.32],
        [0.15, 1.6],
        [-0.15, 1.6],
      ],
      1,
    ),
    [150, 98, 58],
  );
}

function rocket(shapes: Shape[], stage: Stage): void {
  const put = at(stage, 0.3, 0.44);
  const fin = hueOf(stage.hue ?? 4, 0.7, 0.52);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
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

function house(shapes: Shape[], stage: Stage): void {
  const put = at(stage, 0.3, 0.68);
  const wall = stage.hue === undefined ? ([246, 230, 204] as Colour) : hueOf(stage.hue, 0.5, 0.62);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
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

function lighthouse(shapes: Shape[], stage: Stage): void {
  const put = at(stage, 0.3, 0.56);
  const band = hueOf(stage.hue ?? 4, 0.66, 0.48);
  const add = (outline: Point[], colour: Colour, alpha = 1) =>
    shapes.push({ outline: put(outline), colour, alpha });
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

const SUBJECTS: [RegExp, Subject][] = [
  [/\bastronaut\w*\b/, { ground: 'studio', draw: (shapes, stage) => person(shapes, stage, true, false) }],
  [
    /\b(woman|girl|lady|queen|princess|frau|mädchen|dame|königin)\b/,
    { ground: 'studio', draw: (shapes, stage) => person(shapes, stage, false, true) },
  ],
  [
    /\b(portrait|person|man|boy|king|face|human|porträt|mann|junge|mensch|gesicht|könig)\b/,
    { ground: 'studio', draw: (shapes, stage) => person(shapes, stage, false, stage.random() < 0.4) },
  ],
  [/\b(coffee|tea|cup|mug|espresso|kaffee|tee|tasse|kakao)\b/, { ground: 'studio', draw: cup }],
  [/\b(cake|birthday|dessert|kuchen|torte|geburtstag\w*)\b/, { ground: 'studio', draw: cake }],
  [
    /\b(apples?|fruits?|food|peach|tomato|apfel|äpfel|obst|frucht|essen|pfirsich)\b/,
    { ground: 'studio', draw: fruit },
  ],
  [
    /\b(flowers?|rose|tulip|daisy|sunflower|blumen?|rosen?|tulpe|blüte\w*)\b/,
    { ground: 'hills', draw: flower },
  ],
  [/\b(lighthouse|leuchtturm)\b/, { ground: 'sea', draw: lighthouse }],
  [/\b(boat|ship|sail\w*|yacht|boot|schiff|segel\w*)\b/, { ground: 'sea', draw: boat }],
  [/\b(balloons?|ballon\w*|heißluftballon\w*)\b/, { ground: 'hills', draw: balloon }],
  [/\b(rockets?|spaceship|rakete\w*|raumschiff)\b/, { ground: 'studio', draw: rocket }],
  [/\b(house|cottage|cabin|home|castle|haus|hütte|schloss|burg)\b/, { ground: 'hills', draw: house }],
];
