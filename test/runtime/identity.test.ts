// Which machine a folder is. Source: docs/reports.md.

import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identityOf, rememberReal } from '../../functions/runtime/identity.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'identity-'));
  folder = join(root, 'a');
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a folder is the same machine at every start, also after it was moved', async () => {
  const first = await identityOf(folder);
  expect(await identityOf(folder)).toEqual(first);
  await rename(folder, join(root, 'b'));
  expect(await identityOf(join(root, 'b'))).toEqual(first);
});

test('a copy is another machine; its links go on working', async () => {
  const first = await identityOf(folder);
  await cp(folder, join(root, 'b'), { recursive: true });
  const copy = await identityOf(join(root, 'b'));
  expect(copy.machineId).not.toBe(first.machineId);
  expect(copy).toMatchObject({ secretAccessKey: first.secretAccessKey, isCopy: true });
  expect(await identityOf(join(root, 'b'))).toEqual({ ...copy, isCopy: false });
  expect(await identityOf(folder)).toEqual(first);
});

test('a folder that was put back from a backup is the machine that it was', async () => {
  const first = await identityOf(folder);
  await cp(folder, join(root, 'backup'), { recursive: true });
  await rm(folder, { recursive: true });
  await cp(join(root, 'backup'), folder, { recursive: true });
  expect((await identityOf(folder)).machineId).toBe(first.machineId);
});

test('one of an earlier release, which says nothing of its place, stays what it is', async () => {
  await identityOf(folder);
  const former = { machineId: 'machine', secretAccessKey: 'secret' };
  await writeFile(join(folder, 'identity.json'), JSON.stringify(former));
  expect(await identityOf(folder)).toMatchObject({ ...former, usedReal: false, isCopy: false });
});

test('a real ComfyUI is remembered', async () => {
  await identityOf(folder);
  await rememberReal(folder);
  expect((await identityOf(folder)).usedReal).toBe(true);
});

test.each(['', 'null', '{}', '[]', '{"machineId":5,"secretAccessKey":"x"}', '{"machineId":"x"}'])(
  'what is no identity (%s) is refused, and left as it is',
  async (text) => {
    await identityOf(folder);
    const file = join(folder, 'identity.json');
    await writeFile(file, text);
    await expect(identityOf(folder)).rejects.toThrow(`${file} is damaged. Delete it`);
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);

test.skipIf(process.platform === 'win32')('a pipe in its place does not hang the start', async () => {
  await identityOf(folder);
  const file = join(folder, 'identity.json');
  await rm(file);
  execFileSync('mkfifo', [file]);
  await expect(identityOf(folder)).rejects.toThrow(`${file} is no file`);
});
