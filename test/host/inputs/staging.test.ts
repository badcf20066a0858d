// Inputs on their way into ComfyUI: into its folder where it reads that, else by its upload; large ones as a stream.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keys, stagedName } from '../../../functions/core/names.ts';
import { createInputFolder, type InputFolder } from '../../../functions/host/inputs/folder.ts';
import { createStaging, type StagingDeps } from '../../../functions/host/inputs/staging.ts';
import { createComfyUI } from '../../../functions/comfyui/client.ts';
import { type FolderImages, openFolderImages } from '../../../functions/images/folder/images.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../../simulated-comfyui/server.ts';
import { createLog } from '../../../functions/log.ts';
import { silent } from '../../images/engines.ts';

const MB = 1024 * 1024;
const MEGABYTES = Number(process.env['LARGE_FILE_MB'] ?? 300);

let directory: string;
let comfyui: SimulatedComfyUI;
let images: FolderImages;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'staging-'));
  comfyui = await startSimulatedComfyUI({ directory: join(directory, 'comfyui') });
  images = await openFolderImages({ directory: join(directory, 'images'), log: silent });
});
afterEach(async () => {
  await comfyui.close();
  await rm(directory, { recursive: true, force: true });
});

const input = () => join(directory, 'comfyui', 'input');
const inputFolder = (folder = input()) => createInputFolder({ folder, maxBytes: 10_000 * MB, log: silent });
const staging = (inputs?: InputFolder, more: Partial<StagingDeps> = {}) =>
  createStaging({
    comfyui: createComfyUI(comfyui.url),
    images,
    inputs,
    log: silent,
    awake: () => performance.now(),
    pause: () => Promise.resolve(),
    ...more,
  });
const never = () => new AbortController().signal;
const uploads = () => comfyui.requests.filter(({ path }) => path.endsWith('/upload/image')).length;

async function add(bytes: Buffer): Promise<{ key: string; to: string[] }> {
  const key = keys.upload('local', `${createHash('sha256').update(bytes).digest('hex')}.png`);
  await images.put(key, bytes, { contentType: 'image/png' });
  return { key, to: ['1.image'] };
}

test('into the folder that ComfyUI reads nothing is sent', async () => {
  const one = await add(Buffer.from('one'));
  expect(await staging(inputFolder()).stage([one], 'job', never())).toBe('staged');
  expect(await readdir(input())).toEqual([stagedName(one)]);
  expect(uploads()).toBe(0);
});

test.each(['another folder', 'a folder that is not there'])(
  '%s is said, and inputs are sent',
  async (what) => {
    const other = join(directory, 'other');
    if (what === 'another folder') await mkdir(other);
    const said: unknown[] = [];
    const log = createLog('host', 'warn', (line) => said.push(JSON.parse(line)));
    const one = await add(Buffer.from('one'));
    const { stage } = staging(inputFolder(other), { log });
    expect(await stage([one], 'job', never())).toBe('staged');
    expect(await stage([await add(Buffer.from('two'))], 'job', never())).toBe('staged');
    expect(said).toEqual([expect.objectContaining({ event: 'input.folder_unused' })]);
    expect(await readdir(input())).toHaveLength(2);
  },
);

test('sent once for all jobs and runs that read it', async () => {
  const one = await add(Buffer.from('one'));
  const { stage } = staging();
  await Promise.all(Array.from({ length: 20 }, () => stage([one], 'job', never())));
  expect(await stage([one], 'job', never())).toBe('staged');
  // A next run.
  expect(await staging().stage([one], 'job', never())).toBe('staged');
  expect(uploads()).toBe(1);
  // A ComfyUI that died while it wrote.
  await writeFile(join(input(), stagedName(one)), 'o');
  expect(await stage([one], 'job', never())).toBe('staged');
  expect((await stat(join(input(), stagedName(one)))).size).toBe(3);
});

test('other bytes than those that were uploaded end the job, and ComfyUI stores none of them', async () => {
  const one = await add(Buffer.from('one'));
  await images.put(one.key, Buffer.from('two'), { contentType: 'image/png' });
  expect(await staging().stage([one], 'job', never())).toMatchObject({ gone: expect.any(String) });
  expect(await staging(inputFolder()).stage([one], 'job', never())).toMatchObject({
    gone: expect.any(String),
  });
  expect(await readdir(input())).toEqual([]);
});

test('one that is gone ends the others of its job', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, (_, index) => add(Buffer.from(`${index}`))));
  await images.delete([all[2]!.key]);
  expect(await staging(inputFolder()).stage(all, 'job', never())).toMatchObject({
    gone: expect.stringContaining('.png'),
  });
  expect((await readdir(input())).length).toBeLessThan(10);
});

test('broken off while the bucket is silent', async () => {
  const one = await add(Buffer.from('one'));
  const get = () => new Promise<undefined>(() => undefined);
  const { stage } = staging(inputFolder(), { images: { ...images, get } });
  const signal = AbortSignal.timeout(20);
  expect(await stage([one], 'job', signal)).toBe('broken-off');
});

test(`${MEGABYTES} MB go into the folder in little memory`, async () => {
  const path = join(directory, 'large');
  const file = await open(path, 'w');
  await file.truncate(MEGABYTES * MB);
  await file.close();
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const key = keys.upload('local', `${hash.digest('hex')}.mp4`);
  await images.put(key, createReadStream(path), { contentType: 'video/mp4', sizeBytes: MEGABYTES * MB });
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
  const began = performance.now();
  expect(await staging(inputFolder()).stage([{ key }], 'job', never())).toBe('staged');
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  console.log(`${MEGABYTES} MB: ${seconds.toFixed(1)} s, ${Math.round((peak - before) / MB)} MB of memory`);
  expect((await stat(join(input(), stagedName({ key })))).size).toBe(MEGABYTES * MB);
  expect(peak - before).toBeLessThan(150 * MB);
}, 600_000);
