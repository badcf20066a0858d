// A process that is killed at any moment: what is there is whole, what was answered is there, what was begun is gone.

import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFolderImages } from '../../../functions/images/folder/images.ts';
import { silent, unfinishedIn } from '../engines.ts';
import { all, png, whole } from '../support.ts';

let scratch: string;
let directory: string;
let script: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'folder-images-kill-'));
  directory = join(scratch, 'images');
  script = join(scratch, 'writer.mjs');
  const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../../..', path));
  await build({
    stdin: {
      contents: `
        import { openFolderImages } from ${source('functions/images/folder/images.ts')};
        import { createLog } from ${source('functions/log.ts')};
        const [directory, first, kind] = process.argv.slice(2);
        const images = await openFolderImages({ directory, log: createLog('test', 'error') });
        let n = Number(first);
        async function* halfOf(bytes) {
          yield bytes.subarray(0, bytes.length / 2);
          process.stdout.write('half\\n');
          await new Promise(() => setInterval(() => undefined, 1000));
        }
        const contentOf = (n) => Buffer.alloc(1000 + ((n * 77_777) % 900_000), n + ' ');
        if (kind === 'half') await images.put('half', halfOf(Buffer.alloc(2_000_000)), { contentType: 'x', sizeBytes: 2_000_000 });
        await Promise.all(Array.from({ length: 4 }, async () => {
          for (;;) {
            const mine = n++;
            for (const key of ['images/' + mine, 'same']) {
              await images.put(key, contentOf(mine), { contentType: 'x/' + mine });
              process.stdout.write(key + '\\n');
            }
          }
        }));`,
      resolveDir: scratch,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    logLevel: 'error',
  });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const contentOf = (n: number) => Buffer.alloc(1000 + ((n * 77_777) % 900_000), `${n} `);

/** Kills it `after` ms behind the line that `isEnough`. @returns the lines */
async function killed(
  args: string[],
  isEnough: (lines: string[]) => boolean,
  after: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [script, directory, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const ended = once(child, 'exit');
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (isEnough(lines)) setTimeout(() => child.kill('SIGKILL'), after);
  });
  await ended;
  return lines;
}

it('every image is whole, and every answered one is there', async () => {
  const answered = new Set<string>();
  for (let round = 0; round < 6; round += 1)
    for (const key of await killed([String(round * 1000)], (lines) => lines.length >= 10, round * 7))
      answered.add(key);
  expect(answered.size).toBeGreaterThan(20);

  const images = await openFolderImages({ directory, log: silent });
  expect(await unfinishedIn(directory)).toEqual([]);
  const listed = await all(images.list(''));
  for (const { key, sizeBytes } of listed) {
    const image = await images.get(key);
    if (typeof image !== 'object') throw new Error(`${key} is listed and not there`);
    const written = Number(image.contentType.slice(2));
    const bytes = await whole(image);
    expect({ key, whole: bytes.equals(contentOf(written)) }).toEqual({ key, whole: true });
    expect(sizeBytes).toBe(bytes.length);
  }
  expect(listed.map(({ key }) => key)).toEqual(expect.arrayContaining([...answered]));
});

it('in the middle of a put nothing is under its key, and the next start removes the half', async () => {
  await killed(['0', 'half'], ([line]) => line === 'half', 0);
  expect(await unfinishedIn(directory)).toHaveLength(1);
  const images = await openFolderImages({ directory, log: silent });
  expect(await unfinishedIn(directory)).toEqual([]);
  expect(await images.get('half')).toBeUndefined();
  expect(await images.putOnce('half', Buffer.from('whole'), png)).toBe('written');
});
