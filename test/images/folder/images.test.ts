// Images in a folder: what lies on the disk, what is found there that is not ours, and that many cost no more than few.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { keys } from '../../../functions/core/names.ts';
import { describe as described } from '../../../functions/images/folder/description.ts';
import { openFolderImages, type FolderOptions } from '../../../functions/images/folder/images.ts';
import { bytesOfKey, placeOf } from '../../../functions/images/folder/names.ts';
import type { Images } from '../../../functions/images/images.ts';
import { createLog } from '../../../functions/log.ts';
import { unfinishedIn } from '../engines.ts';
import { all, MB, png, webStream, whole } from '../support.ts';

let directory: string;
let lines: string[];
let images: Images;
const open = (options: Partial<FolderOptions> = {}) =>
  openFolderImages({ directory, log: createLog('test', 'warn', (line) => lines.push(line)), ...options });
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'folder-images-'));
  lines = [];
  images = await open();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const pathOf = (key: string) => {
  const { folders, name } = placeOf(bytesOfKey(key));
  return join(directory, ...folders, name);
};
const put = (key: string, text: string | Buffer) => images.put(key, Buffer.from(text), png);
const text = async (key: string) => (await whole(await images.get(key))).toString();
const listed = async (prefix = '') => (await all(images.list(prefix))).map(({ key }) => key);
const hexOf = (n: number) => createHash('sha256').update(String(n)).digest('hex');
const jobIdOf = (n: number) =>
  hexOf(n)
    .slice(0, 32)
    .replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const imageOf = (n: number) => keys.image(jobIdOf(n), 1, `Flux2_${n}.png`);

describe('a file', () => {
  it('begins with the image, so that a viewer opens it', async () => {
    await put('images/a.png', 'pixels');
    expect((await readFile(pathOf('images/a.png'))).subarray(0, 6).toString()).toBe('pixels');
    expect(basename(pathOf('images/a.png'))).toBe('a.png');
  });

  it('is found by another process, without a start that reads anything', async () => {
    await put('images/a.png', 'pixels');
    const again = await open();
    expect((await whole(await again.get('images/a.png'))).toString()).toBe('pixels');
  });

  it.each([1000, 600_000])(
    'that somebody changed is never passed off as the whole: %i bytes',
    async (size) => {
      await put('changed', 'x'.repeat(size));
      await writeFile(pathOf('changed'), 'y', { flag: 'r+' });
      await expect(text('changed')).rejects.toThrow('checksum');
      await truncate(pathOf('changed'), size - 1);
      expect(await images.get('changed')).toBeUndefined();
      expect(await images.head('changed')).toBeUndefined();
      expect(await listed()).toEqual([]);
      expect(lines[0]).toContain('image.changed');
      expect(await images.putOnce('changed', Buffer.from('new'), png)).toBe('written');
      expect(await text('changed')).toBe('new');
    },
  );

  it('that lies under the name of another key is neither', async () => {
    await put('images/a.png', 'pixels');
    await cp(pathOf('images/a.png'), pathOf('images/b.png'));
    expect(await images.get('images/b.png')).toBeUndefined();
    expect(await listed()).toEqual(['images/a.png']);
  });

  it('that cannot be read counts as missing, and the log says so', async () => {
    for (const key of ['whole', 'loop', 'folder']) await put(key, key);
    // What chmod does for everybody but root.
    await rm(pathOf('loop'));
    await symlink(pathOf('loop'), pathOf('loop'));
    await rm(pathOf('folder'));
    await mkdir(pathOf('folder'));
    for (const key of ['loop', 'folder']) expect(await images.get(key)).toBeUndefined();
    expect(await listed()).toEqual(['whole']);
    expect(lines).toEqual([expect.stringContaining('ELOOP'), expect.stringContaining('EISDIR')]);
  });

  it('of somebody else is not listed, whatever it says', async () => {
    await put('whole', 'whole');
    await writeFile(join(directory, '.DS_Store'), 'x');
    await writeFile(join(directory, 'empty.png'), '');
    await writeFile(join(directory, 'liar.png'), Buffer.from('{}\xff\xff\xff\xff\r\ns3v1\r\n', 'latin1'));
    await mkdir(join(directory, 'Foreign'));
    expect(await listed()).toEqual(['whole']);
  });
});

describe('a folder', () => {
  it('goes with its last file, and those above it', async () => {
    const [one, other] = [imageOf(1), imageOf(2)];
    const upload = keys.upload('ann', `${hexOf(3)}.png`);
    for (const key of [one, other, upload]) await put(key, 'x');
    await images.delete([one]);
    expect(existsSync(dirname(pathOf(one)))).toBe(false);
    expect(await text(other)).toBe('x');
    await images.delete([other, upload, upload]);
    expect(await readdir(directory)).toEqual(['.incoming']);
  });

  it('may go while something is put into it', async () => {
    for (let round = 0; round < 40; round += 1) {
      const pair = ['b', 'c'].map((name) => keys.image(jobIdOf(7), 1, `${name}.png`));
      await put(pair[0]!, 'x');
      await Promise.all([images.delete([pair[0]!]), put(pair[1]!, `${round}`)]);
      expect(await text(pair[1]!)).toBe(`${round}`);
      await images.delete([pair[1]!]);
    }
  });

  it('is made again after somebody deleted all of them, and what was in them is missing', async () => {
    await put('deleted/one', 'one');
    for (const folder of ['deleted', '.incoming']) await rm(join(directory, folder), { recursive: true });
    for (const size of [10, 1_000_000]) {
      await put(`deleted/${size}`, 'x'.repeat(size));
      expect(await text(`deleted/${size}`)).toHaveLength(size);
    }
    expect(await images.get('deleted/one')).toBeUndefined();
    await rm(directory, { recursive: true });
    expect(await listed()).toEqual([]);
    await put('deleted/two', 'two');
    expect(await listed()).toEqual(['deleted/two']);
  });
});

test('what a process that was killed had begun to write goes at the next start', async () => {
  await mkdir(join(directory, '.incoming'));
  await writeFile(join(directory, '.incoming', 'half'), 'half');
  await open();
  expect(await unfinishedIn(directory)).toEqual([]);
});

describe('a full disk', () => {
  it('takes nothing, not even half; what is there is read and deleted', async () => {
    await put('there', 'x');
    let asked: number[] = [];
    const full = await open({
      hasRoom: (bytes) => {
        asked.push(bytes);
        return false;
      },
    });
    const source = new Readable({ read() {} });
    for (const [body, sizeBytes] of [
      [Buffer.alloc(3 * MB), undefined],
      [source, 3 * MB],
      [webStream([Buffer.alloc(MB)]), undefined],
    ] as const)
      await expect(full.put('new', body, { ...png, sizeBytes })).rejects.toMatchObject({
        name: 'StorageFull',
      });
    expect(asked).toEqual([3 * MB, 3 * MB, 0]);
    expect(source.destroyed).toBe(true);
    asked = [];
    expect(await full.putOnce('there', Buffer.from('y'), png)).toBe('existed');
    expect((await whole(await full.get('there'))).toString()).toBe('x');
    await full.delete(['there']);
    expect([asked, await full.get('there'), await unfinishedIn(directory)]).toEqual([[], undefined, []]);
  });

  it('is asked on the way where the length is unknown', async () => {
    let left = MB;
    const filling = await open({ hasRoom: (bytes) => (left -= bytes) >= 0 });
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(100_000);
      })(),
    );
    await expect(filling.put('endless', endless, png)).rejects.toMatchObject({ name: 'StorageFull' });
    expect(endless.destroyed).toBe(true);
    expect(await unfinishedIn(directory)).toEqual([]);
  });
});

/** Read calls of this process so far, as Linux counts them. */
async function reads(): Promise<number> {
  return Number(/syscr: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))![1]);
}

describe.skipIf(!existsSync('/proc/self/io'))('many images', () => {
  const BATCH = 3000;
  /** As put, but without syncs. */
  async function fill(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const key = imageOf(n);
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const description = described({
        key,
        sizeBytes: 1,
        etag: '"x"',
        crc32: 'jNzLig==',
        lastModified: 0,
        headers: { 'content-type': 'image/png' },
      });
      await writeFile(path, Buffer.concat([Buffer.from('x'), description]));
    }
  }
  /** What a start, a put, a get and a job's list read. */
  async function cost(): Promise<number> {
    const before = await reads();
    const opened = await open();
    await opened.put(imageOf(-1), Buffer.from('x'), png);
    expect(await opened.head(imageOf(-1))).toMatchObject({ sizeBytes: 1 });
    expect(await all(opened.list(keys.imagesOfJob(jobIdOf(0))))).toHaveLength(1);
    expect(await all(opened.list(keys.imagesOfJob(jobIdOf(-2))))).toHaveLength(0);
    return (await reads()) - before;
  }

  it('cost no more than few: nothing is read of those that are not asked for', async () => {
    await fill(1);
    // The first round reads what Node loads when it is first used.
    await cost();
    const few = await cost();
    await fill(BATCH);
    const many = await cost();
    expect(await listed('images/')).toHaveLength(BATCH + 1);
    // The event loop reads too, now and then.
    expect(many - few).toBeLessThan(BATCH / 20);
  });
});
