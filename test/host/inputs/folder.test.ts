// ComfyUI's input folder: each content once, whole or not at all, what is in use stays, and a next run finds what is there.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputChanged, InputGone, openInput } from '../../../functions/host/inputs/bytes.ts';
import { createInputFolder, type InputFolderOptions } from '../../../functions/host/inputs/folder.ts';
import { signal } from '../../../functions/runtime/deferred.ts';
import type { Images, StoredImage } from '../../../functions/images/images.ts';
import { keys, stagedName } from '../../../functions/core/names.ts';
import { webStream } from '../../images/support.ts';
import { silent } from '../../images/engines.ts';

const KB = 1024;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inputs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (options: Partial<InputFolderOptions> = {}) =>
  createInputFolder({ folder, maxBytes: 100 * KB, log: silent, ...options });

/** A bucket that says how each of its answers goes. */
function bucket() {
  const files = new Map<string, Buffer>();
  const asked: string[] = [];
  const answers: ((whole: Buffer) => { pieces: Buffer[]; end?: 'closes' | 'breaks' })[] = [];
  return {
    asked,
    answers,
    add(bytes: Buffer = randomBytes(30 * KB), as = bytes) {
      const key = keys.upload('local', `${createHash('sha256').update(as).digest('hex')}.png`);
      files.set(key, bytes);
      return { key, name: stagedName({ key }), bytes };
    },
    images: {
      async get(key: string, { range }: { range?: string } = {}): Promise<StoredImage | undefined> {
        asked.push(range ?? key);
        const whole = files.get(key);
        if (!whole) return undefined;
        const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
        const { pieces, end } = answers.shift()?.(whole.subarray(from)) ?? { pieces: [whole.subarray(from)] };
        return {
          body: webStream(pieces, end),
          contentType: 'image/png',
          contentLength: whole.length - from,
          etag: '"1"',
          lastModified: new Date(0),
          partial: from > 0,
        };
      },
    } as Pick<Images, 'get'>,
  };
}

const inOrder = (names: string[]) => names.sort((a, b) => (a < b ? -1 : 1));
const names = async () => inOrder(await readdir(folder));
const never = () => new AbortController().signal;

test('a content is brought once, by however many jobs at once', async () => {
  const { images, add, asked } = bucket();
  const { key, name, bytes } = add();
  const inputs = open();
  await Promise.all(
    Array.from({ length: 50 }, () => inputs.place(name, () => openInput(images, { key }), never())),
  );
  await inputs.place(name, () => openInput(images, { key }), never());
  expect(asked).toEqual([key]);
  expect(await names()).toEqual([name]);
  expect(await readFile(join(folder, name))).toEqual(bytes);
  // ComfyUI may be another user.
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o644);
});

test('a connection that breaks is resumed where it broke', async () => {
  const { images, add, asked, answers } = bucket();
  const { key, name, bytes } = add();
  answers.push((whole) => ({ pieces: [whole.subarray(0, 10 * KB)], end: 'breaks' }));
  answers.push((whole) => ({ pieces: [whole.subarray(0, 5 * KB)], end: 'closes' }));
  await open().place(name, () => openInput(images, { key }), never());
  expect(asked).toEqual([key, `bytes=${10 * KB}-`, `bytes=${15 * KB}-`]);
  expect(await readFile(join(folder, name))).toEqual(bytes);
});

test('other bytes than those that were uploaded are not placed', async () => {
  const { images, add } = bucket();
  const { key, name } = add(randomBytes(30 * KB), randomBytes(30 * KB));
  await expect(open().place(name, () => openInput(images, { key }), never())).rejects.toThrow(InputChanged);
  expect(await names()).toEqual([]);
});

test('one that is gone, and one that breaks off at once, leave nothing', async () => {
  const { images, add, answers } = bucket();
  const inputs = open();
  const { key, name } = add();
  answers.push(() => ({ pieces: [], end: 'breaks' }));
  await expect(inputs.place(name, () => openInput(images, { key }), never())).rejects.toThrow(
    'half an image',
  );
  const gone = keys.upload('local', `${'a'.repeat(64)}.png`);
  await expect(
    inputs.place(stagedName({ key: gone }), () => openInput(images, { key: gone }), never()),
  ).rejects.toThrow(InputGone);
  expect(await names()).toEqual([]);
  await inputs.place(name, () => openInput(images, { key }), never());
  expect(await names()).toEqual([name]);
});

test('the longest unused goes, what a job holds stays, though it is more than fits', async () => {
  const { images, add } = bucket();
  const inputs = open({ maxBytes: 70 * KB });
  const files = [add(), add(), add(), add(), add()] as const;
  const place = ({ key, name }: (typeof files)[number]) =>
    inputs.place(name, () => openInput(images, { key }), never());
  const [a, b, c, d, e] = files;
  const release = inputs.hold([a.name]);
  await place(a);
  await place(b);
  await place(c);
  expect(await names()).toEqual(inOrder([a.name, c.name]));
  // All at once, and all of one job.
  const all = inputs.hold([a.name, c.name, d.name, e.name]);
  await Promise.all([place(d), place(e)]);
  expect(await names()).toEqual(inOrder([a.name, c.name, d.name, e.name]));
  await place(e);
  release();
  all();
  await place(b);
  expect(await names()).toEqual(inOrder([b.name, e.name]));
});

test('a next run finds what is there, in its order, and removes what was half', async () => {
  const { images, add, asked } = bucket();
  const [older, newer, third] = [add(), add(), add()];
  const first = open();
  for (const { key, name } of [older, newer])
    await first.place(name, () => openInput(images, { key }), never());
  await utimes(join(folder, older.name), new Date(1000), new Date(1000));
  await utimes(join(folder, newer.name), new Date(2000), new Date(2000));
  await writeFile(join(folder, `.staged-${'0'.repeat(24)}.part`), 'half');
  await writeFile(join(folder, 'photo.png'), 'of a person');
  const next = open({ maxBytes: 70 * KB });
  await next.place(newer.name, () => openInput(images, newer), never());
  expect(asked).toHaveLength(2);
  await next.place(third.name, () => openInput(images, third), never());
  expect(await names()).toEqual(inOrder(['photo.png', newer.name, third.name]));
});

test('what a power cut or a person has changed is brought anew', async () => {
  const { images, add, asked } = bucket();
  const { key, name, bytes } = add();
  await open().place(name, () => openInput(images, { key }), never());
  await writeFile(join(folder, name), Buffer.alloc(bytes.length));
  await open().place(name, () => openInput(images, { key }), never());
  expect(asked).toHaveLength(2);
  expect(await readFile(join(folder, name))).toEqual(bytes);
  // Also under a running host.
  const running = open();
  await running.place(name, () => openInput(images, { key }), never());
  await rm(join(folder, name));
  await running.place(name, () => openInput(images, { key }), never());
  expect(await readFile(join(folder, name))).toEqual(bytes);
});

test('a full disk: what no job holds makes room, then it is said', async () => {
  const { images, add } = bucket();
  let free = 1e9;
  const inputs = open({ free: async () => free - (await readdir(folder)).length * 30 * KB });
  const [a, b] = [add(), add()];
  await inputs.place(a.name, () => openInput(images, a), never());
  free = 70 * KB;
  await inputs.place(b.name, () => openInput(images, b), never());
  expect(await names()).toEqual([b.name]);
  const release = inputs.hold([b.name]);
  await expect(inputs.place(a.name, () => openInput(images, a), never())).rejects.toThrow('The disk is full');
  expect(await names()).toEqual([b.name]);
  release();
});

test('a job that is broken off ends its download, but not one that another waits for', async () => {
  const { images, add, answers } = bucket();
  const { key, name, bytes } = add();
  const slow = (go: Promise<unknown>) => {
    const get = images.get.bind(images);
    return { get: (...asked: Parameters<typeof get>) => go.then(() => get(...asked)) };
  };
  const gates = [signal<void>(), signal<void>()];
  const inputs = open();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = inputs.place(name, () => openInput(slow(gates[0]!.promise), { key }), one.signal);
  const second = inputs.place(name, () => openInput(images, { key }), two.signal);
  one.abort(new Error('cancelled'));
  await expect(first).rejects.toThrow('cancelled');
  gates[0]!.resolve();
  await second;
  expect(await readFile(join(folder, name))).toEqual(bytes);
  await rm(join(folder, name));

  answers.push((whole) => ({ pieces: [whole.subarray(0, KB), whole.subarray(KB)] }));
  const three = new AbortController();
  const third = inputs.place(name, () => openInput(slow(gates[1]!.promise), { key }), three.signal);
  three.abort(new Error('cancelled'));
  gates[1]!.resolve();
  await expect(third).rejects.toThrow('cancelled');
  await expect.poll(names).toEqual([]);
});

test('two thousand small inputs, far more than fit', async () => {
  const { images, add } = bucket();
  const inputs = open({ maxBytes: 10 * KB });
  const files = Array.from({ length: 2000 }, (_, index) => add(Buffer.from(`input ${index}`.repeat(10))));
  for (let from = 0; from < files.length; from += 100)
    await Promise.all(
      files
        .slice(from, from + 100)
        .map(({ key, name }) => inputs.place(name, () => openInput(images, { key }), never())),
    );
  const left = await names();
  expect(left.length).toBeLessThan(120);
  expect(left).toContain(files.at(-1)!.name);
}, 60_000);
