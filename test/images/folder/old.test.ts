// What has become too old goes, by the date in the image's file alone, and a round opens few of many files.

import { mkdtemp, readdir, rm, stat, truncate, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys } from '../../../functions/core/names.ts';
import { type FolderImages, openFolderImages } from '../../../functions/images/folder/images.ts';
import { bytesOfKey, placeOf } from '../../../functions/images/folder/names.ts';
import { createLog } from '../../../functions/log.ts';
import { all, png } from '../support.ts';

let directory: string;
let lines: string[];
let images: FolderImages;
let now: number;
const open = () =>
  openFolderImages({ directory, log: createLog('test', 'warn', (line) => lines.push(line)), now: () => now });
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'old-images-'));
  lines = [];
  now = 0;
  images = await open();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const pathOf = (key: string) => {
  const { folders, name } = placeOf(bytesOfKey(key));
  return join(directory, ...folders, name);
};
async function put(key: string, at: number): Promise<string> {
  now = at;
  await images.put(key, Buffer.from(key), png);
  return key;
}
const listed = async () => (await all(images.list(''))).map(({ key }) => key);
const before = (limit: number) => images.removeOld('images/', (at) => at < limit);
/** In one folder: the group of their first digits. */
const imageOf = (n: number) =>
  keys.image(`0f3c0000-0000-4000-8000-${String(n).padStart(12, '0')}`, 1, 'a.png');

it('removes what is too old below a folder, at any depth, and nothing beside it', async () => {
  const old = await Promise.all([imageOf(1), 'images/a/b/c.png', 'images/a.png'].map((key) => put(key, 1)));
  const young = [await put(imageOf(2), 9), await put('images/a/b/d.png', 9)];
  const beside = await put(keys.upload('alice', 'x.png'), 1);
  expect(await before(5)).toBe(old.length);
  expect(await listed()).toEqual([...young, beside].toSorted());
  expect(await before(10)).toBe(young.length);
  expect(await listed()).toEqual([beside]);
  expect(await readdir(directory)).not.toContain('images');
});

it('a folder without images is no error', async () => {
  expect(await before(5)).toBe(0);
});

it('a date of the file says nothing: copies of a workspace have the hour of the copy', async () => {
  const [old, young] = [await put(imageOf(1), 1), await put(imageOf(2), 9)];
  await utimes(pathOf(old), 9e9, 9e9);
  await utimes(pathOf(young), 0, 0);
  images = await open();
  expect(await before(5)).toBe(1);
  expect(await listed()).toEqual([young]);
});

it('opens an image again when the oldest beside it is too old, or one has come, and not before', async () => {
  const [first, second] = [await put(imageOf(1), 3), await put(imageOf(2), 9)];
  await before(1);
  // Opening it would be seen in the log.
  await truncate(pathOf(second), 5);
  for (const limit of [1, 2, 3]) expect(await before(limit)).toBe(0);
  expect(lines).toEqual([]);
  expect(await before(4)).toBe(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('image.changed');
  expect(await images.head(first)).toBeUndefined();
});

it('finds one that came with an earlier date than those it had seen: the clock was set', async () => {
  const folder = dirname(pathOf(await put(imageOf(1), 2000)));
  await before(5);
  const seen = (await stat(folder)).mtimeMs;
  const putAndLook = () => put(imageOf(2), 3).then(() => stat(folder));
  // The clock of a file system may stand still for some milliseconds.
  await expect.poll(async () => (await putAndLook()).mtimeMs).not.toBe(seen);
  expect(await before(5)).toBe(1);
  expect(await listed()).toEqual([imageOf(1)]);
});

it('an image that is renewed stays for as long again', async () => {
  await put(imageOf(1), 1);
  await before(1);
  await put(imageOf(1), 9);
  expect(await before(5)).toBe(0);
  expect(await before(10)).toBe(1);
});

it('a file that could not be read is looked at in the next round again', async () => {
  const [torn] = [await put(imageOf(1), 1), await put(imageOf(2), 1)];
  await truncate(pathOf(torn), 5);
  expect(await before(5)).toBe(1);
  await before(5);
  await before(5);
  expect(lines).toHaveLength(3);
});
