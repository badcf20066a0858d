// What a graph saves is published only if this very attempt made it, and only if it is a whole image; what ComfyUI has
// besides is left where it is. Source: docs/reports.md.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { PNG } from 'pngjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import { isText } from '../../functions/core/listed-outputs.ts';
import { outcomeOf } from '../../functions/core/outcome.ts';
import { takeFixed } from '../../functions/host/attempt/fixed-names.ts';
import { startSimulatedComfyUI, type SimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { call } from '../api/support.ts';
import { filesIn } from '../support/files-in.ts';
import { type Rig, startRig } from '../support/rig.ts';

let folder: string;
let workflows: string;
let rig: Rig;
let comfyui: SimulatedComfyUI;

type Node = { class_type: string; inputs: Record<string, unknown> };
const image = (color: number): Node => ({
  class_type: 'EmptyImage',
  inputs: { width: 64, height: 64, batch_size: 1, color },
});
const save = (prefix: unknown): Node => ({
  class_type: 'SaveImage',
  inputs: { images: ['1', 0], filename_prefix: prefix },
});
const fixed = (kind: string, file = 'fixed.png'): Node => ({
  class_type: 'LabSaveFixed',
  inputs: { images: ['1', 0], file, kind },
});
const saveAs = (kind: string, file: string, more: Record<string, unknown> = {}): Node => ({
  class_type: 'LabSaveAs',
  inputs: {
    images: ['1', 0],
    file,
    subfolder: '',
    type: 'output',
    key: 'images',
    megabytes: 0,
    kind,
    ...more,
  },
});
const GRAPHS: Record<string, Record<string, Node>> = {
  plain: { 1: image(1), 2: save('Cat') },
  held: {
    1: image(1),
    2: save(['3', 0]),
    3: { class_type: 'PrimitiveString', inputs: { value: 'shop/Cat' } },
  },
  joined: {
    1: image(1),
    2: save(['3', 0]),
    3: { class_type: 'StringConcatenate', inputs: { string_a: 'a', string_b: 'b', delimiter: '/' } },
  },
  stripped: { 1: image(1), 2: save('Cat') },
  fixed: { 1: image(1), 2: fixed('png') },
  reported: { 1: image(1), 2: fixed('none') },
  text: { 1: image(1), 2: fixed('text') },
  empty: { 1: image(1), 2: fixed('empty') },
  cut: { 1: image(1), 2: fixed('cut') },
  dots: { 1: image(1), 2: fixed('png', 'a..b.png') },
  gone: { 1: image(1), 2: save('Cat'), 3: saveAs('none', 'gone.mp4', { key: 'gifs' }) },
  outside: { 1: image(1), 2: saveAs('mp4', 'a.mp4', { subfolder: '../elsewhere' }) },
  tiff: { 1: image(1), 2: saveAs('tiff', 'a.png') },
  nothing: { 1: image(1), 2: saveAs('empty', 'a.mp4') },
  files: {
    1: image(1),
    2: saveAs('tiff', 'a.tiff'),
    3: saveAs('mp4', 'clip 1.gif', { key: 'gifs', type: 'missing', subfolder: 'videos/new' }),
    4: saveAs('unknown', 'weights.dat', { key: 'result' }),
    5: saveAs('unknown', 'unnamed', { key: 'video' }),
    6: saveAs('glb', 'shown.glb', { key: 'result', type: 'path' }),
    7: { class_type: 'SaveGLB', inputs: { mesh: ['8', 0], filename_prefix: '3d/M' } },
    8: { class_type: 'LabMesh', inputs: { seed: 1 } },
  },
  shown: { 1: image(1), 6: saveAs('glb', 'shown.glb', { key: 'result', type: 'path', subfolder: '3d' }) },
  pages: {
    1: image(1),
    2: saveAs('svg', 'a.svg'),
    3: saveAs('html', 'a.txt', { key: 'files' }),
    4: { class_type: 'SaveSVGNode', inputs: { svg: ['5', 0], filename_prefix: 'svg/S' } },
    5: { class_type: 'LabSVG', inputs: { seed: 1 } },
  },
  stripped_film: { 1: image(1), 2: save('Cat'), 3: saveAs('mp4', 'a.mp4') },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outputs-'));
  workflows = join(folder, 'workflows');
  await mkdir(workflows);
  for (const [name, graph] of Object.entries(GRAPHS)) {
    await writeFile(join(workflows, `${name}.json`), JSON.stringify(graph));
    const inputs = {
      color: { type: 'integer', default: 1, minimum: 0, maximum: 0xffffff, to: '1.color' },
    };
    const reported = name.startsWith('stripped') ? { image_metadata: 'strip' } : {};
    await writeFile(
      join(workflows, `${name}.inputs.json`),
      JSON.stringify({ title: name, inputs, ...reported }),
    );
  }
  rig = await startRig({ workflows });
  comfyui = await startSimulatedComfyUI({ stepMs: 1, directory: join(folder, 'comfyui') });
  await rig.addHost({ comfyui, comfyuiPath: join(folder, 'comfyui') });
});
afterEach(async () => {
  await rig.close();
  await comfyui.close();
  await rm(folder, { recursive: true, force: true });
});

const ended = async (body: Record<string, unknown>) =>
  rig.until(await rig.generate(body), ['completed', 'failed'], 10_000);

async function bytesOf(status: Record<string, unknown>): Promise<Buffer> {
  const response = await rig.app.request(`/api/image/${String(status['output_image'])}`);
  return Buffer.from(await response.arrayBuffer());
}

test.each(['plain', 'held', 'joined', 'fixed'])(
  '%s: the same inputs twice, and others between',
  async (workflow) => {
    const first = await ended({ workflow, color: 5 });
    const other = await ended({ workflow, color: 6 });
    const again = await ended({ workflow, color: 5 });
    expect([first, other, again].map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      'completed',
    ]);
    expect((await bytesOf(again)).equals(await bytesOf(other))).toBe(false);
    expect(again).toMatchObject({ attempts: 1 });
  },
);

test('two prompts in the same milliseconds that write the same file: neither gets the other’s picture', async () => {
  const pixelsOf = async (status: Record<string, unknown>) =>
    createHash('sha1')
      .update(PNG.sync.read(await bytesOf(status)).data)
      .digest('hex');
  const of = new Map<number, string>();
  for (const color of [1, 2]) of.set(color, await pixelsOf(await ended({ workflow: 'fixed', color })));
  for (let round = 0; round < 6; round += 1) {
    const both = [2, 1].map(async (color) => {
      const status = await ended({ workflow: 'fixed', color });
      if (status['status'] === 'completed') expect(await pixelsOf(status)).toBe(of.get(color));
      else expect(status['error_code']).toMatch(/^(output_not_own|bad_output)$/);
    });
    await Promise.all(both);
  }
});

test('a file of a moment in which another prompt ran is refused, also before that job has ended here', async () => {
  const client = createComfyUI(comfyui.url);
  const run = async (...colors: number[]) => {
    const ids = colors.map(() => randomUUID());
    for (const [index, color] of colors.entries()) {
      const graph = { 1: image(color), 2: fixed('png') };
      await client.submit({ graph, promptId: ids[index]!, clientId: 'test', extraData: {} });
    }
    for (const id of ids) await vi.waitUntil(() => client.history(id), { timeout: 5000 });
    return ids;
  };
  const take = async (promptId: string, others: string[]) => {
    const outcome = outcomeOf((await client.history(promptId))!, 'no stamp');
    const outputs =
      outcome.kind === 'outputs' ? outcome.outputs.flatMap((one) => (isText(one) ? [] : one)) : [];
    expect(outputs).toHaveLength(1);
    return takeFixed({ comfyui: client, taken: new Map(), otherPrompts: () => others }, promptId, outputs);
  };
  const [first, second] = (await run(1, 2)) as [string, string];
  await expect(take(first, [second])).rejects.toMatchObject({ failure: { code: 'output_not_own' } });
  // The clock by which a file is stamped is coarse.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const [third] = (await run(3)) as [string];
  await take(third, [first, second]);
});

test('a file that a node tells of but did not write is not published', async () => {
  await ended({ workflow: 'fixed', color: 5 });
  // The clock by which a file is stamped is coarse.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await ended({ workflow: 'reported', color: 6 })).toMatchObject({
    status: 'failed',
    error_code: 'output_not_own',
    output_image: null,
  });
});

test('a template may have its images without the graph that ComfyUI writes into them', async () => {
  const [kept, stripped] = await Promise.all(
    ['plain', 'stripped'].map(async (workflow) => bytesOf(await ended({ workflow, color: 5 }))),
  );
  expect(kept!.includes('EmptyImage')).toBe(true);
  expect(stripped!.includes('EmptyImage')).toBe(false);
  expect(PNG.sync.read(stripped!).data.equals(PNG.sync.read(kept!).data)).toBe(true);
});

describe('what cannot be published ends its job at once, with the node and the file', () => {
  test.each([
    ['text', /^Node 2 saved fixed.png, .*text\/plain/],
    ['empty', /^Node 2 saved fixed.png, .*empty/],
    ['cut', /^Node 2 saved fixed.png, .*ends too early/],
    ['dots', /^Node 2 saved a..b.png, .*400/],
    ['gone', /^Node 3 saved gone.mp4, .*404/],
    ['outside', /^Node 2 saved a.mp4, .*403/],
    ['tiff', /^Node 2 saved a.png, .*image\/tiff/],
    ['nothing', /^Node 2 saved a.mp4, .*empty/],
  ])('%s', async (workflow, error) => {
    expect(await ended({ workflow })).toMatchObject({
      status: 'failed',
      error_code: 'bad_output',
      error: expect.stringMatching(error) as string,
      attempts: 1,
    });
    // The host is free for others.
    expect(await ended({ workflow: 'plain' })).toMatchObject({ status: 'completed' });
  });
});

test('files of any kind, also of none that is known, under whatever key', async () => {
  const status = await ended({ workflow: 'files' });
  expect(status).toMatchObject({ status: 'completed', output_image: null, images: [] });
  const outputs = status['outputs'] as Record<string, string | number>[];
  const shown = ({ node, kind, content_type, filename }: (typeof outputs)[number]) =>
    [node, kind, content_type, String(filename).replace(/.*_/, '')].join(' ');
  expect(outputs.map(shown)).toEqual([
    '2 image image/tiff .tiff',
    '3 video video/mp4 .mp4',
    '4 file application/octet-stream .dat',
    '5 file application/octet-stream .bin',
    '7 3d model/gltf-binary .glb',
  ]);
  const { json } = await call<{ history: Record<string, { outputs: object }> }>(rig.app, 'GET /api/history');
  const [entry] = Object.values(json.history);
  expect(Object.values(entry!.outputs).flatMap((output) => Object.keys(output as object))).toEqual([
    'images',
    'gifs',
    'result',
    'video',
    '3d',
  ]);
  for (const { filename, size_bytes } of outputs) {
    const answer = await rig.app.request(`/api/image/${filename}`);
    expect((await answer.arrayBuffer()).byteLength).toBe(size_bytes);
  }
});

test('a model that is only shown is an output where nothing was saved', async () => {
  expect(await ended({ workflow: 'shown' })).toMatchObject({
    status: 'completed',
    outputs: [{ node: '6', kind: '3d', content_type: 'model/gltf-binary' }],
  });
});

test('what a browser might run is saved, not shown, by route and by link', async () => {
  const jobId = await rig.generate({ workflow: 'pages' });
  await rig.until(jobId, ['completed', 'failed']);
  const status = (await (await fetch(`${rig.url}/api/status/${jobId}`)).json()) as {
    outputs: { filename: string; content_type: string; url: string }[];
  };
  expect(status.outputs.map(({ content_type }) => content_type)).toEqual([
    'image/svg+xml',
    'text/html',
    'image/svg+xml',
  ]);
  for (const { filename, url, content_type } of status.outputs)
    for (const at of [url, `${rig.url}/api/image/${filename}`])
      for (const method of ['GET', 'HEAD']) {
        const { headers } = await fetch(at, { method });
        expect(headers.get('content-type')).toContain(content_type);
        expect(headers.get('content-disposition')).toBe(`attachment; filename="${filename}"`);
        expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
      }
});

test('a template that strips its images says of what it cannot strip', async () => {
  const { notes, outputs } = await ended({ workflow: 'stripped_film' });
  const [, film] = outputs as { filename: string }[];
  expect(notes).toEqual([expect.stringContaining(film!.filename)]);
});

test('only what carries our stamp is deleted; what a person has stays', async () => {
  const output = join(folder, 'comfyui', 'output');
  await mkdir(output, { recursive: true });
  await writeFile(join(output, 'Cat_00001_.png'), 'a person’s own');
  for (const workflow of ['plain', 'held', 'joined', 'fixed']) await ended({ workflow });
  await expect.poll(() => filesIn(output), { timeout: 5000 }).toEqual(['Cat_00001_.png', 'fixed.png']);
  expect(await readFile(join(output, 'Cat_00001_.png'), 'utf8')).toBe('a person’s own');
});

test('whatever is asked for, in whatever order: never another’s picture', async () => {
  const published = new Map<string, number>();
  const drawn = fc.array(
    fc.record({
      workflow: fc.constantFrom('plain', 'held', 'joined', 'fixed', 'reported'),
      color: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 2, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(drawn, async (jobs) => {
      const ids = await Promise.all(jobs.map((job) => rig.generate(job)));
      for (const [index, id] of ids.entries()) {
        const status = await rig.until(id, ['completed', 'failed'], 60_000);
        if (status['status'] === 'failed') {
          // What a node tells of and nobody ever wrote is gone; what another writes at that moment is no whole image.
          expect(status['error_code']).toMatch(/^(output_not_own|lost_too_often|bad_output)$/);
          continue;
        }
        // A picture's bytes tell its colour: equal ones were asked for with the same, by whatever way they were saved.
        const pixels = (await bytesOf(status)).toString('latin1').split('IDAT').slice(1).join();
        const { color } = jobs[index]!;
        expect(published.get(pixels) ?? color).toBe(color);
        published.set(pixels, color);
      }
    }),
    { numRuns: 8 },
  );
}, 300_000);
