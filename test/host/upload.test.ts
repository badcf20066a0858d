// How an image comes from ComfyUI into the bucket where the link is bad, and what is left in ComfyUI's folders after it.
// Source: docs/reports.md.

import { createServer, type Server, type ServerResponse } from 'node:http';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterEach, expect, test } from 'vitest';
import { TIMINGS } from '../../functions/core/timings.ts';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import { outputFolder, stampOf } from '../../functions/core/names.ts';
import { createCleanup } from '../../functions/host/prompts/cleanup.ts';
import { createHeldJob } from '../../functions/host/claims/held-job.ts';
import { untilAnswered } from '../../functions/host/claims/confirmed-write.ts';
import { collectOutputs } from '../../functions/host/attempt/upload.ts';
import type { Images } from '../../functions/images/images.ts';
import { bodyFrom } from '../../functions/images/s3/body.ts';
import { createLog } from '../../functions/log.ts';

const JOB = '0123abcd-0123-8123-8123-0123456789ab';
const ETAG = '"1885a5b2c3d4e5f6-1"';
/** Noise, so that it does not get small. */
const image = new PNG({ width: 300, height: 300 });
for (let at = 0, seed = 7; at < image.data.length; at += 1)
  image.data[at] = (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
const png = PNG.sync.write(image);
const log = createLog('test', 'debug', () => undefined);

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

async function comfyuiThat(
  answer: (response: ServerResponse, range: string | undefined, path: string) => void,
) {
  const ranges: (string | undefined)[] = [];
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(response, request.headers.range, request.url!);
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { comfyui: createComfyUI(`http://127.0.0.1:${port}`), ranges };
}

/** The bucket, as far as it is needed: takes a body as the real one does. */
function bucket() {
  const stored: Buffer[] = [];
  const put: Images['put'] = async (_, body, meta) => {
    const taken = await bodyFrom(body, meta.sizeBytes);
    const pieces: Uint8Array[] = [];
    if (taken.body instanceof Uint8Array) pieces.push(taken.body);
    else for await (const piece of taken.body as AsyncIterable<Uint8Array>) pieces.push(piece);
    stored.push(Buffer.concat(pieces));
    return { sizeBytes: taken.sizeBytes, etag: '' };
  };
  return { images: { put } as Images, stored };
}

/** Of a host for which no time passes. */
const depsOf = (comfyui: ReturnType<typeof createComfyUI>, images: Images) => ({
  comfyui,
  images,
  log,
  timings: TIMINGS,
  awake: () => 0,
  pause: () => Promise.resolve(),
  taken: new Map<string, Set<string>>(),
  otherPrompts: () => [],
});

const OUTPUT = {
  node: '2',
  key: 'images',
  filename: 'a.png',
  subfolder: '',
  type: 'output',
  own: 'stamped' as const,
};

test('what breaks off is taken up where it was, of the same file', async () => {
  const { comfyui, ranges } = await comfyuiThat((response, range) => {
    const from = Number(/\d+/.exec(range ?? '0')![0]);
    const to = Math.min(png.length, from + 100_000);
    response.writeHead(range === undefined ? 200 : 206, {
      etag: ETAG,
      'content-length': png.length - from,
      ...(range !== undefined && { 'content-range': `bytes ${from}-${png.length - 1}/${png.length}` }),
    });
    response.write(png.subarray(from, to), () => (to < png.length ? response.destroy() : response.end()));
  });
  const { images, stored } = bucket();
  const deps = depsOf(comfyui, images);
  const published = await collectOutputs(deps, createHeldJob(JOB), 1, {}, [OUTPUT]);
  expect(published).toMatchObject([{ width: 300, height: 300, sizeBytes: png.length }]);
  expect(stored.map((bytes) => bytes.equals(png))).toEqual([true]);
  expect(ranges.length).toBeGreaterThan(3);
  expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
});

test('an image that ComfyUI does not give is given up after ten minutes, and half a minute after a stop', async () => {
  const { comfyui } = await comfyuiThat((response) => response.destroy());
  const { images } = bucket();
  for (const [drained, least, most] of [
    [false, 10 * 60_000, 11 * 60_000],
    [true, 30_000, 60_000],
  ] as const) {
    let now = 0;
    const heldJob = createHeldJob(JOB);
    if (drained) heldJob.drain('the GPU host was stopped');
    const pause = async () => void (now += 5000);
    const deps = { ...depsOf(comfyui, images), awake: () => now, pause };
    await expect(collectOutputs(deps, heldJob, 1, {}, [OUTPUT])).rejects.toMatchObject({
      name: 'OutputsGone',
    });
    expect(now).toBeGreaterThan(least);
    expect(now).toBeLessThan(most);
  }
});

test('a ComfyUI that breaks at whatever it is asked is waited for', async () => {
  let asked = 0;
  const { comfyui } = await comfyuiThat((response, _, path) => {
    asked += path.startsWith('/view') ? 1 : 0;
    if (asked <= 6) response.writeHead(500).end('a proxy has no ComfyUI');
    else response.writeHead(200, { etag: ETAG, 'content-length': png.length }).end(png);
  });
  const { images, stored } = bucket();
  const deps = depsOf(comfyui, images);
  expect(await collectOutputs(deps, createHeldJob(JOB), 1, {}, [OUTPUT])).toHaveLength(1);
  expect(stored.map((bytes) => bytes.equals(png))).toEqual([true]);
});

test('one that breaks at this file alone cannot read it', async () => {
  let asked = 0;
  const { comfyui } = await comfyuiThat((response, _, path) => {
    const views = path.startsWith('/view');
    asked += views ? 1 : 0;
    response.writeHead(views ? 500 : 200).end('{}');
  });
  const deps = depsOf(comfyui, bucket().images);
  await expect(collectOutputs(deps, createHeldJob(JOB), 1, {}, [OUTPUT])).rejects.toMatchObject({
    failure: { code: 'bad_output', message: 'Node 2 saved a.png, which cannot be read by ComfyUI' },
  });
  expect(asked).toBe(3);
});

test('a body without an end is refused where it is too long to be held', async () => {
  const { comfyui } = await comfyuiThat((response) => {
    response.writeHead(200, { etag: ETAG });
    response.write(png.subarray(0, 33));
    // A chunk of a private kind, as long as one may be.
    response.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0x70, 0x72, 0x56, 0x74]));
    const more = () => void (response.destroyed || response.write(Buffer.alloc(4 * 1024 * 1024), more));
    more();
  });
  const deps = depsOf(comfyui, bucket().images);
  await expect(collectOutputs(deps, createHeldJob(JOB), 1, {}, [OUTPUT])).rejects.toMatchObject({
    name: 'UnfitOutput',
    failure: { code: 'bad_output' },
  });
}, 30_000);

test('all that carries the stamp goes, of whatever kind and also what is written late; nothing else does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leavings-'));
  try {
    const output = join(folder, 'output', outputFolder(JOB));
    const stamp = stampOf(JOB, 1);
    const put = async (name: string) => writeFile(join(output, name), 'x');
    await mkdir(join(output, `${stamp}_shop`), { recursive: true });
    for (const name of [
      `a_${stamp}_.mp4`,
      `b_${stamp}_.exr`,
      `${stamp}_shop/c.txt`,
      `d_${stamp}1_.png`,
      'e.png',
    ])
      await put(name);
    let now = 0;
    const comfyui = { deleteHistory: () => Promise.resolve() };
    const cleanup = createCleanup(comfyui, folder, log, () => now);
    cleanup.ofAttempt(JOB, 1);
    await cleanup.remove();
    const kept = [`d_${stamp}1_.png`, 'e.png'];
    expect((await readdir(output)).sort()).toEqual(kept);
    await put(`f_${stamp}_.png`);
    now = 60_000;
    await cleanup.remove();
    expect((await readdir(output)).sort()).toEqual(kept);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a write that the table refuses for what it is is not repeated', async () => {
  let asked = 0;
  const refused = Object.assign(new Error('Item size has exceeded the maximum'), {
    name: 'ValidationException',
  });
  const work = async () => {
    asked += 1;
    throw refused;
  };
  const writer = { log, pause: () => Promise.resolve() };
  await expect(untilAnswered(writer, JOB, 'complete', work)).rejects.toBe(refused);
  expect(asked).toBe(1);
});
