// Workspaces of release 0.1: its images are here after the first start, whatever ends that start, and there as before.

import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { openFolderImages } from '../../../functions/images/folder/images.ts';
import { takeOverImages } from '../../../functions/images/folder/take-over.ts';
import { createS3Images } from '../../../functions/images/s3/images.ts';
import { BUCKET, startTestS3 } from '../../support/embedded-s3/support.ts';
import { silent, unfinishedIn } from '../engines.ts';
import { all, whole } from '../support.ts';

let workspace: string;
let old: string;
let root: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'take-over-'));
  old = join(workspace, 's3', BUCKET);
  root = join(workspace, 'images');
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

const hexOf = (n: number) => String(n).padStart(3, '0') + 'f'.repeat(29);
const keyOf = (n: number) => `images/${hexOf(n)}/1/Flux2_Turbo_${hexOf(n)}_00001_.png`;
const contentOf = (n: number) => Buffer.alloc(1000 + n, `${n} `);

/** What the former release leaves: its server writes these files. */
async function formerWorkspace(count: number): Promise<string[]> {
  const s3 = await startTestS3({ directory: join(workspace, 's3') });
  const images = createS3Images({ client: s3.client, bucket: BUCKET });
  const keys = Array.from({ length: count }, (_, n) => keyOf(n));
  await Promise.all(keys.map((key, n) => images.put(key, contentOf(n), { contentType: `image/x-${n}` })));
  await s3.stop();
  return keys;
}

async function expectAll(keys: string[]): Promise<void> {
  const images = await openFolderImages({ directory: root, log: silent });
  expect((await all(images.list(''))).map(({ key }) => key)).toEqual(keys.toSorted());
  for (const [n, key] of keys.entries()) {
    const found = await images.get(key);
    expect(found).toMatchObject({ contentType: `image/x-${n}`, contentLength: 1000 + n });
    expect((await whole(found)).equals(contentOf(n))).toBe(true);
  }
}

it('gives every image its key here by a second name, once, and leaves the first', async () => {
  const keys = await formerWorkspace(30);
  const names = await readdir(old);
  expect(await takeOverImages(old, root)).toBe(30);
  await expectAll(keys);
  expect(await readdir(old)).toEqual(names);
  for (const name of names) expect((await stat(join(old, name))).nlink).toBe(2);
  const images = await openFolderImages({ directory: root, log: silent });
  await images.delete([keys[0]!]);
  // What is deleted here does not come back.
  expect(await takeOverImages(old, root)).toBeUndefined();
  expect(await images.head(keys[0]!)).toBeUndefined();
  expect(await readdir(old)).toEqual(names);
});

it('keeps the tag and the time of an image', async () => {
  await mkdir(join(workspace, 's3'));
  const s3 = await startTestS3({ directory: join(workspace, 's3') });
  const former = createS3Images({ client: s3.client, bucket: BUCKET });
  await former.put('uploads/a/b.png', Buffer.from('pixels'), { contentType: 'image/png' });
  const before = (await former.head('uploads/a/b.png'))!;
  await s3.stop();
  await takeOverImages(old, root);
  const after = (await (await openFolderImages({ directory: root, log: silent })).head('uploads/a/b.png'))!;
  const second = (date: Date) => Math.floor(date.getTime() / 1000);
  expect({ ...after, lastModified: second(after.lastModified) }).toEqual({
    ...before,
    lastModified: second(before.lastModified),
  });
});

it('takes nothing that the former release would not have shown', async () => {
  const keys = await formerWorkspace(3);
  const torn = (await readdir(old)).find((name) => name.includes(`_${hexOf(2)}_`))!;
  await truncate(join(old, torn), 100);
  await writeFile(join(old, '.DS_Store'), 'x');
  await writeFile(join(old, `${'0'.repeat(40)}-empty`), '');
  await mkdir(join(old, `${'1'.repeat(40)}-folder`));
  const loop = join(old, `${'2'.repeat(40)}-loop`);
  await symlink(loop, loop);
  expect(await takeOverImages(old, root)).toBe(2);
  await expectAll(keys.slice(0, 2));
});

it('does nothing in a workspace that is new', async () => {
  expect(await takeOverImages(old, root)).toBeUndefined();
  expect(await readdir(workspace)).toEqual([]);
});

/** A folder on another file system, where this machine has one. */
const elsewhere = await mkdtemp('/dev/shm/take-over-').catch(() => undefined);

test.skipIf(elsewhere === undefined)('copies where no second name is possible', async () => {
  try {
    expect((await stat(elsewhere!)).dev).not.toBe((await stat(workspace)).dev);
    await symlink(elsewhere!, join(workspace, 's3'));
    const keys = await formerWorkspace(5);
    expect(await takeOverImages(old, root)).toBe(5);
    expect(await unfinishedIn(root)).toEqual([]);
    for (const name of await readdir(old)) expect((await stat(join(old, name))).nlink).toBe(1);
    await rm(elsewhere!, { recursive: true });
    await expectAll(keys);
  } finally {
    await rm(elsewhere!, { recursive: true, force: true });
  }
});

it('killed at any moment, it is finished by the next start', { timeout: 120_000 }, async () => {
  const keys = await formerWorkspace(300);
  const script = join(workspace, 'take-over.mjs');
  const source = join(import.meta.dirname, '../../../functions/images/folder/take-over.ts');
  await build({
    stdin: {
      contents: `import { takeOverImages } from ${JSON.stringify(source)};
        process.stdout.write('begun\\n');
        await takeOverImages(process.argv[2], process.argv[3]);`,
      resolveDir: workspace,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    logLevel: 'error',
  });
  let unfinished = 0;
  for (let after = 0; after < 60; after += 6) {
    const child = spawn(process.execPath, [script, old, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    setTimeout(() => child.kill('SIGKILL'), after);
    await ended;
    if (!(await stat(join(root, '.taken-over')).catch(() => undefined))) unfinished += 1;
  }
  expect(unfinished).toBeGreaterThan(0);
  await takeOverImages(old, root);
  await expectAll(keys);
});
