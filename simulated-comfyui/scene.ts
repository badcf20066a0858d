// What a picture shows: a landscape of layers in the colours that the prompt's words call for, and before it its subject. The same
// words, key and size make the same scene. Pure.
import { createHash } from 'node:crypto';
import { type Colour, mix, ofHue, type Shape } from './canvas.ts';
import { subjectIn } from './subjects/subjects.ts';

export interface Scene {
  sky: [Colour, Colour, Colour];
  shapes: Shape[];
}

/** 0 to 1, one after the other. */
export type Random = () => number;

export function randomOf(seed: string): Random {
  let state = createHash('sha1').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @param hue degrees, of any turn; saturation and lightness 0 to 1 */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const [red, green, blue] = ofHue(((hue % 360) + 360) % 360, saturation, lightness);
  return [Math.round(red), Math.round(green), Math.round(blue)];
}

const COLOURS: [RegExp, number][] = [
  [/\b(red|rot\w*|crimson|scarlet|ruby)\b/, 356],
  [/\b(orange\w*|amber|copper|kupfer\w*)\b/, 26],
  [/\b(gold\w*|yellow|gelb\w*|honey|honig)\b/, 44],
  [/\b(green|grün\w*|emerald|moss|moos)\b/, 140],
  [/\b(turquoise|türkis\w*|teal|cyan|aqua)\b/, 178],
  [/\b(blue|blau\w*|azure|sapphire|indigo)\b/, 215],
  [/\b(purple|violet\w*|violett\w*|lila|lavender|lavendel)\b/, 272],
  [/\b(pink|rosa\w*|magenta|cherry)\b/, 330],
  [/\b(brown|braun\w*|chocolate)\b/, 20],
];

/** Black and white have no hue. */
export function toneIn(words: string): 'black' | 'white' | undefined {
  if (/\b(black|schwarz\w*)\b/.test(words)) return 'black';
  return /\b(white|wei(ß|ss)\w*)/.test(words) ? 'white' : undefined;
}

/** The first colour that the words name, as a hue; undefined: none. */
export function hueIn(words: string): number | undefined {
  const found = COLOURS.map(([name, hue]) => ({ at: words.search(name), hue })).filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at)[0]?.hue;
}

type Ground = 'hills' | 'mountains' | 'sea' | 'forest' | 'desert' | 'city' | 'space' | 'waves' | 'studio';
const GROUNDS: [RegExp, Ground][] = [
  [/\b(space|galax\w*|planet\w*|nebula|cosm\w*|weltraum|astronaut\w*|rocket|rakete)\b/, 'space'],
  [
    /\b(city|cities|street|skyline|skyscraper\w*|town|tokyo|cyberpunk|stadt|straße|hochhaus\w*|neon)\b/,
    'city',
  ],
  [
    /\b(sea|ocean|beach|lake|coast|wave|harbou?r|boat|ship|fish|whale|meer|ozean|strand|küste|see|hafen|boot|schiff|leuchtturm|lighthouse)\b/,
    'sea',
  ],
  [/\b(mountain\w*|alps?|peak|glacier|valley|berg\w*|gebirge|alpen|gipfel|tal)\b/, 'mountains'],
  [
    /\b(forest|wood\w*|jungle|trees?|pine\w*|owl|deer|bear|wald\w*|baum|bäume|tannen?|eule|reh|bär)\b/,
    'forest',
  ],
  [/\b(desert|dune\w*|sahara|canyon|camel|wüste|düne\w*|kamel)\b/, 'desert'],
  [
    /\b(hills?|meadow|field\w*|garden|farm|countryside|hügel|wiese|feld\w*|garten|landschaft|landscape)\b/,
    'hills',
  ],
];

type Light = 'day' | 'dusk' | 'night' | 'winter' | 'autumn';
const LIGHTS: [RegExp, Light][] = [
  [
    /\b(night|midnight|moon\w*|stars?|starry|neon|cyberpunk|dark|nacht|mond\w*|stern\w*|dunkel\w*)\b/,
    'night',
  ],
  [
    /\b(sunset|sunrise|dusk|dawn|evening|golden hour|twilight|sonnenuntergang|sonnenaufgang|abend\w*|dämmerung|morgenrot)\b/,
    'dusk',
  ],
  [/\b(winter\w*|snow\w*|ice|icy|frozen|arctic|schnee\w*|eis\w*|verschneit\w*)\b/, 'winter'],
  [/\b(autumn|fall|herbst\w*)\b/, 'autumn'],
];

/** @param width and height in pixels */
export function sceneOf(prompt: string, key: string, width: number, height: number): Scene {
  const words = prompt.toLowerCase();
  const random = randomOf(`${words}\0${key}`);
  const unit = Math.min(width, height);
  const [w, h] = [width / unit, height / unit];
  const subject = subjectIn(words);
  const pick = <T>(table: [RegExp, T][]): T | undefined => table.find(([name]) => name.test(words))?.[1];
  const ground = pick(GROUNDS) ?? (subject ? subject.ground : 'waves');
  const light = ground === 'space' ? 'night' : (pick(LIGHTS) ?? (random() < 0.3 ? 'dusk' : 'day'));
  const named = hueIn(words);
  // A subject of its own takes the colour that is named; else all is in it.
  const hue = subject || named === undefined ? hueOf(ground, light, random) : named;
  const sky = skyOf(light, hue, random, ground);
  const at = { w, h, unit, width, random, hue, light, sky };
  const shapes: Shape[] = [];
  if (ground !== 'waves' && ground !== 'studio') lights(shapes, at);
  GROUND[ground](shapes, at);
  subject?.draw(shapes, { w, h, random, hue: named, tone: toneIn(words), dark: light === 'night' });
  return { sky, shapes };
}

function hueOf(ground: Ground, light: Light, random: Random): number {
  if (ground === 'studio' || ground === 'waves') return random() * 360;
  if (light === 'dusk') return 250 + random() * 50;
  if (light === 'autumn') return 20 + random() * 20;
  const base: Record<Exclude<Ground, 'waves' | 'studio'>, number> = {
    hills: 110,
    mountains: 210,
    sea: 200,
    forest: 150,
    desert: 30,
    city: 225,
    space: 255,
  };
  return base[ground] + (random() - 0.5) * 40;
}

function skyOf(light: Light, hue: number, random: Random, ground: Ground): Scene['sky'] {
  const turn = (random() - 0.5) * 20;
  if (ground === 'waves')
    return [hsl(hue + 34, 0.6, 0.22), hsl(hue + 10, 0.62, 0.48), hsl(hue - 34, 0.85, 0.78)];
  if (ground === 'studio') return [hsl(hue, 0.4, 0.62), hsl(hue + 14, 0.46, 0.74), hsl(hue + 30, 0.55, 0.86)];
  switch (light) {
    case 'night':
      return [hsl(235 + turn, 0.55, 0.08), hsl(240 + turn, 0.5, 0.2), hsl(265 + turn, 0.45, 0.38)];
    case 'dusk':
      return [hsl(255 + turn, 0.45, 0.3), hsl(340 + turn, 0.6, 0.62), hsl(32 + turn, 0.95, 0.72)];
    case 'winter':
      return [hsl(210 + turn, 0.45, 0.62), hsl(205 + turn, 0.5, 0.8), hsl(200, 0.5, 0.93)];
    case 'autumn':
      return [hsl(200 + turn, 0.4, 0.6), hsl(40 + turn, 0.6, 0.8), hsl(38, 0.9, 0.86)];
    default:
      return [hsl(210 + turn, 0.7, 0.52), hsl(200 + turn, 0.7, 0.72), hsl(48, 0.8, 0.9)];
  }
}

interface Place {
  w: number;
  h: number;
  unit: number;
  width: number;
  random: Random;
  hue: number;
  light: Light;
  sky: Scene['sky'];
}

/** Sun or moon, stars, clouds. */
function lights(shapes: Shape[], { w, h, random, light, sky }: Place): void {
  const x = w * (0.2 + random() * 0.6);
  const y = h * (light === 'dusk' ? 0.46 : 0.2 + random() * 0.1);
  const r = light === 'night' ? 0.06 : light === 'dusk' ? 0.11 : 0.075;
  if (light === 'night')
    for (let star = 0; star < 90; star++) {
      const size = 0.0008 + random() ** 4 * 0.0032;
      shapes.push({
        outline: disc(random() * w, random() * h * 0.75, size, 8),
        colour: [255, 250, 235],
        alpha: 0.35 + random() * 0.65,
      });
    }
  const colour: Colour =
    light === 'night' ? [244, 240, 222] : light === 'winter' ? [255, 252, 240] : [255, 236, 190];
  shapes.push({ glow: [x, y], radius: r * 4, colour, alpha: light === 'night' ? 0.35 : 0.55 });
  shapes.push({ outline: disc(x, y, r, 64), colour });
  if (light === 'night')
    for (const [dx, dy, size] of [
      [-0.3, -0.2, 0.18],
      [0.25, 0.3, 0.24],
      [0.3, -0.35, 0.12],
    ] as const)
      shapes.push({
        outline: disc(x + dx * r, y + dy * r, size * r, 32),
        colour: [214, 208, 190],
        alpha: 0.7,
      });
  if (light === 'night') return;
  for (let cloud = 0; cloud < 3; cloud++) {
    const [cx, cy, size] = [random() * w, h * (0.1 + random() * 0.24), 0.035 + random() * 0.045];
    const air = mix(sky[0], sky[1], Math.min(1, (cy / h) * 2));
    const colour = mix(air, light === 'dusk' ? [255, 206, 190] : [255, 255, 255], 0.62);
    for (let puff = 0; puff < 5; puff++) {
      const along = (puff - 2) * size * 0.95;
      const rise = (2 - Math.abs(puff - 2)) * size * (0.2 + random() * 0.16);
      shapes.push({ outline: halfDisc(cx + along, cy, size * 0.7 + rise), colour });
    }
  }
}

const disc = (cx: number, cy: number, r: number, points: number): [number, number][] =>
  Array.from({ length: points }, (_, at) => {
    const angle = (at / points) * 2 * Math.PI;
    return [cx + Math.cos(angle) * r, cy + Math.sin(angle) * r];
  });
const halfDisc = (cx: number, cy: number, r: number): [number, number][] =>
  Array.from({ length: 24 }, (_, at) => {
    const angle = Math.PI + (at / 23) * Math.PI;
    return [cx + Math.cos(angle) * r, cy + Math.sin(angle) * r * 0.8];
  });

/** A line of heights of several waves. @param rough: how much finer ones weigh @param sharp: ridges instead of waves */
function ridge(
  { width, unit, random }: Place,
  base: number,
  reach: number,
  rough: number,
  sharp = false,
): Float32Array {
  const waves = Array.from({ length: 5 }, (_, octave) => ({
    often: (0.8 + random() * 0.8) * 2 ** octave,
    from: random() * 7,
    weight: rough ** octave,
  }));
  const total = waves.reduce((sum, { weight }) => sum + weight, 0);
  return Float32Array.from({ length: width }, (_, x) => {
    let height = 0;
    for (const { often, from, weight } of waves) {
      const phase = (x / unit) * often * 2 + from;
      height +=
        weight * (sharp ? 1 - 2 * Math.abs(2 * (phase / 3 - Math.floor(phase / 3)) - 1) : Math.sin(phase));
    }
    return (base - (height / total) * reach) * unit;
  });
}

function layer(shapes: Shape[], place: Place, below: Float32Array, from: Colour, to: Colour): void {
  const top = below.reduce((least, one) => Math.min(least, one), Infinity);
  shapes.push({ below, from, to, top, bottom: Math.min(place.h * place.unit, top + place.unit * 0.45) });
}

/** Far layers are as light as the air before them. */
function depth(place: Place, near: Colour, share: number): Colour {
  return mix(place.sky[2], near, share);
}

const soil = ({ hue, light }: Place, lightness: number): Colour => {
  if (light === 'winter') return hsl(208, 0.35, 0.6 + lightness * 0.9);
  return hsl(hue, light === 'night' ? 0.4 : 0.42, light === 'night' ? lightness * 0.55 : lightness);
};

function rolling(shapes: Shape[], place: Place, from: number, layers: number, sharp: boolean): void {
  for (let at = 0; at < layers; at++) {
    const share = (at + 1) / layers;
    const below = ridge(
      place,
      place.h * (from + (0.94 - from) * (share - 1 / layers)),
      sharp && at < 2 ? 0.16 : 0.07,
      sharp && at < 2 ? 0.55 : 0.4,
      sharp && at < 2,
    );
    layer(
      shapes,
      place,
      below,
      depth(place, soil(place, 0.42), 0.35 + share * 0.55),
      depth(place, soil(place, 0.24), 0.45 + share * 0.55),
    );
  }
}

function trees(
  shapes: Shape[],
  place: Place,
  base: number,
  count: number,
  size: number,
  colour: Colour,
): void {
  const { w, random } = place;
  for (let tree = 0; tree < count; tree++) {
    const x = ((tree + random() * 0.8) / count) * w * 1.05 - 0.02;
    const tall = size * (0.7 + random() * 0.6);
    const y = base + random() * 0.03;
    for (let tier = 0; tier < 3; tier++) {
      const top = y - tall + tier * tall * 0.22;
      const wide = tall * (0.14 + tier * 0.07);
      shapes.push({
        outline: [
          [x, top],
          [x + wide, top + tall * 0.42],
          [x - wide, top + tall * 0.42],
        ],
        colour: mix(colour, [0, 0, 0], tier * 0.06),
      });
    }
    shapes.push({
      outline: [
        [x - tall * 0.03, y - tall * 0.2],
        [x + tall * 0.03, y - tall * 0.2],
        [x + tall * 0.03, y + 0.06],
        [x - tall * 0.03, y + 0.06],
      ],
      colour: mix(colour, [40, 20, 10], 0.5),
    });
  }
}

const GROUND: Record<Ground, (shapes: Shape[], place: Place) => void> = {
  hills: (shapes, place) => rolling(shapes, place, 0.52, 5, false),
  mountains: (shapes, place) => rolling(shapes, place, 0.46, 5, true),
  desert: (shapes, place) => rolling(shapes, place, 0.56, 4, false),
  forest(shapes, place) {
    rolling(shapes, place, 0.5, 2, true);
    for (const [base, count, size, share] of [
      [0.66, 22, 0.16, 0.5],
      [0.78, 15, 0.24, 0.75],
      [0.93, 10, 0.34, 1],
    ] as const) {
      trees(shapes, place, place.h * base, count, size, depth(place, soil(place, 0.26), share));
      layer(
        shapes,
        place,
        ridge(place, place.h * base, 0.02, 0.4),
        depth(place, soil(place, 0.3), share),
        depth(place, soil(place, 0.18), share),
      );
    }
  },
  sea(shapes, place) {
    const { w, h, random, light, unit, width } = place;
    layer(
      shapes,
      place,
      ridge(place, h * 0.55, 0.05, 0.5, true),
      depth(place, soil(place, 0.4), 0.4),
      depth(place, soil(place, 0.3), 0.5),
    );
    const deep =
      light === 'night' ? hsl(225, 0.5, 0.12) : light === 'dusk' ? hsl(262, 0.4, 0.3) : hsl(206, 0.62, 0.34);
    const flatLine = new Float32Array(width).fill(h * 0.58 * unit);
    shapes.push({
      below: flatLine,
      from: mix(place.sky[2], deep, 0.45),
      to: deep,
      top: h * 0.58 * unit,
      bottom: h * unit,
    });
    for (let line = 0; line < 46; line++) {
      const y = h * (0.59 + (line / 46) ** 1.4 * 0.4);
      const wide = (0.02 + random() * 0.1) * (0.5 + line / 30);
      const x = random() * w;
      shapes.push({
        outline: [
          [x - wide, y],
          [x, y - 0.0016 - line * 0.00008],
          [x + wide, y],
          [x, y + 0.0016 + line * 0.00008],
        ],
        colour: mix(place.sky[2], [255, 255, 255], 0.3),
        alpha: 0.35,
      });
    }
  },
  city(shapes, place) {
    const { w, h, random, light } = place;
    for (let row = 0; row < 3; row++) {
      const colour = depth(
        place,
        light === 'night' ? hsl(235, 0.45, 0.1) : hsl(225, 0.25, 0.3),
        0.35 + row * 0.3,
      );
      for (let x = -0.05; x < w;) {
        const wide = 0.05 + random() * 0.08;
        const top = h * (0.36 + row * 0.14 + random() * 0.24);
        shapes.push({
          outline: [
            [x, top],
            [x + wide, top],
            [x + wide, h],
            [x, h],
          ],
          colour,
        });
        if (random() < 0.3)
          shapes.push({
            outline: [
              [x + wide / 2 - 0.003, top - 0.06],
              [x + wide / 2 + 0.003, top - 0.06],
              [x + wide / 2 + 0.003, top],
              [x + wide / 2 - 0.003, top],
            ],
            colour,
          });
        const pane: Colour = random() < 0.25 ? hsl(random() < 0.5 ? 320 : 185, 0.9, 0.66) : [255, 220, 140];
        for (let py = top + 0.018; py < h * 0.97; py += 0.03)
          for (let px = x + 0.01; px + 0.012 < x + wide; px += 0.02)
            if (random() < (light === 'day' ? 0.3 : 0.45))
              shapes.push({
                outline: [
                  [px, py],
                  [px + 0.009, py],
                  [px + 0.009, py + 0.014],
                  [px, py + 0.014],
                ],
                colour: light === 'day' ? [225, 240, 250] : pane,
                alpha: 0.3 + row * 0.3,
              });
        x += wide + random() * 0.012;
      }
    }
  },
  space(shapes, place) {
    const { w, h, random, hue } = place;
    for (let cloud = 0; cloud < 4; cloud++)
      shapes.push({
        glow: [random() * w, random() * h],
        radius: 0.24 + random() * 0.2,
        colour: hsl(hue + (random() - 0.5) * 140, 0.8, 0.5),
        alpha: 0.35,
      });
    const [x, y, r] = [w * (0.3 + random() * 0.4), h * 0.98, 0.42];
    const body = hsl(hue + 150 + random() * 60, 0.55, 0.5);
    shapes.push({ glow: [x, y], radius: r * 1.25, colour: body, alpha: 0.8 });
    shapes.push({ outline: disc(x, y, r, 96), colour: mix(body, [10, 10, 40], 0.35) });
    shapes.push({
      glow: [x - r * 0.3, y - r * 0.5],
      radius: r * 0.8,
      colour: mix(body, [255, 255, 255], 0.4),
      alpha: 0.6,
    });
  },
  waves(shapes, place) {
    const { w, h, random, hue } = place;
    for (let ball = 0; ball < 3; ball++) {
      const [x, y, r] = [
        w * (0.12 + ball * 0.34 + random() * 0.1),
        h * (0.1 + random() * 0.32),
        0.05 + random() * 0.12,
      ];
      const colour = hsl(hue - 48 + random() * 24, 0.85, 0.74);
      shapes.push({ glow: [x, y], radius: r * 2, colour, alpha: 0.45 });
      shapes.push({ outline: disc(x, y, r, 72), colour });
      shapes.push({ glow: [x - r * 0.3, y - r * 0.3], radius: r * 0.8, colour: [255, 255, 255], alpha: 0.4 });
    }
    for (let at = 0; at < 7; at++) {
      const near = hsl(hue - 50 + at * 14, 0.62, 0.66 - at * 0.07);
      layer(
        shapes,
        place,
        ridge(place, h * (0.34 + at * 0.1), 0.13, 0.35),
        near,
        mix(near, hsl(hue + 40, 0.7, 0.3), 0.75),
      );
    }
  },
  studio(shapes, { w, h, random, hue }) {
    for (let soft = 0; soft < 3; soft++)
      shapes.push({
        glow: [w * (0.1 + soft * 0.4), h * (0.2 + random() * 0.4)],
        radius: 0.34 + random() * 0.14,
        colour: hsl(hue + 40 + random() * 50, 0.7, 0.86),
        alpha: 0.6,
      });
    shapes.push({
      outline: disc(w * 0.5, h * 0.46, 0.4, 96),
      colour: hsl(hue - 14, 0.42, 0.58),
      alpha: 0.55,
    });
  },
};
