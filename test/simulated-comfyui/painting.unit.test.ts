// What the simulation paints: the same for the same, another for another seed, prompt or size; small ones as they were.

import { describe, expect, test } from 'vitest';
import { Painting, paintingOf, type Picture, unfinished } from '../../simulated-comfyui/painting.ts';

function pixelsOf(picture: Picture): Buffer {
  const pixels = Buffer.alloc(picture.width * picture.height * 3);
  for (let y = 0; y < picture.height; y++)
    if (picture.repeats(y))
      pixels.copyWithin(y * picture.width * 3, (y - 1) * picture.width * 3, y * picture.width * 3);
    else picture.row(y, pixels, y * picture.width * 3);
  return pixels;
}
const painted = (words: string, key: string, width = 256, height = width) =>
  pixelsOf(paintingOf({ words, key }, width, height));

const PROMPTS = [
  'a mountain landscape at sunset',
  'a red fox in the forest',
  'Porträt einer Frau',
  'city skyline at night',
  'eine Tasse Kaffee',
  'abstract blue waves',
  'an astronaut in space',
  'Segelboot am Meer, 日本',
  '',
];

describe.each(PROMPTS)('"%s"', (words) => {
  test('is the same by the same key, another by another', () => {
    const one = painted(words, 'a');
    expect(painted(words, 'a').equals(one)).toBe(true);
    expect(painted(words, 'b').equals(one)).toBe(false);
  });

  test.each([
    [192, 1024],
    [1023, 201],
    [640, 480],
  ])('fills %i x %i pixels, and no others', (width, height) => {
    const picture = paintingOf({ words, key: 'a' }, width, height);
    const row = Buffer.alloc(width * 3 + 2, 7);
    for (let y = 0; y < height; y++) picture.row(y, row, 1);
    expect([row[0], row.at(-1)]).toEqual([7, 7]);
    expect(new Set(row.subarray(1, -1)).size).toBeGreaterThan(1);
  });
});

test('each prompt has a picture of its own', () => {
  expect(new Set(PROMPTS.map((words) => painted(words, 'a').toString('base64'))).size).toBe(PROMPTS.length);
});

test('the mark is white on dark at the lower left, and tells two images of one look apart', () => {
  const subject = { words: 'a fox', key: 'a', look: 'sampler' };
  const one = pixelsOf(paintingOf(subject, 256, 256));
  const other = pixelsOf(paintingOf({ ...subject, key: 'b' }, 256, 256));
  const rows = (pixels: Buffer) => pixels.subarray(0, 240 * 256 * 3);
  expect(rows(one).equals(rows(other))).toBe(true);
  expect(one.equals(other)).toBe(false);
  const lowest = one.subarray(243 * 256 * 3);
  expect(lowest.filter((byte) => byte === 255).length).toBeGreaterThan(300);
});

test('a small one is the mosaic that it was', () => {
  const subject = { words: 'a fox', key: 'a' };
  expect(pixelsOf(paintingOf(subject, 64, 64)).equals(pixelsOf(new Painting(subject, 64, 64)))).toBe(true);
});

test('what is unfinished comes nearer to it with each step', () => {
  const subject = { words: 'a fox', key: 'a' };
  const end = pixelsOf(unfinished(subject, 64, 64, 1));
  const far = [0.25, 0.5, 0.75].map((done) =>
    pixelsOf(unfinished(subject, 64, 64, done)).reduce((sum, byte, at) => sum + Math.abs(byte - end[at]!), 0),
  );
  expect(far.toSorted((a, b) => b - a)).toEqual(far);
  expect(far[2]).toBeGreaterThan(0);
});
