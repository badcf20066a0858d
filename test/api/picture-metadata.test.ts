// GET /api/image/<filename>/metadata: what ComfyUI wrote into a picture, without what a job adds to its graph.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { photo } from '../images/codec/support.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { call, putJob } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

let rig: Rig;
let stripped: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
  stripped = await startRig();
  await stripped.addHost({ imageMetadata: 'strip' });
});
afterAll(async () => {
  await rig.close();
  await stripped.close();
});

const metadata = (filename: string, by = rig) => call(by.app, `GET /api/image/${filename}/metadata`);
const made = async (by: Rig) => {
  const jobId = await by.generate({ width: 256, height: 256 });
  const status = await by.until(jobId, ['completed', 'failed'], 60_000);
  return { jobId, filename: String(status['output_image']) };
};

/** The name of an output of an ended job, whose bytes these are. */
async function withBytes(bytes: Uint8Array, contentType = 'image/png'): Promise<string> {
  const jobId = await putJob(rig, { status: 'completed', images: 1 });
  const filename = String((await rig.status(jobId))['output_image']);
  await rig.images.put(keys.image(jobId, 1, filename), bytes, { contentType });
  return filename;
}

/** A PNG with such chunks: what is not read of it is left out. */
function png(...chunks: [type: string, text: string][]): Buffer {
  const chunk = (type: string, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, body, Buffer.alloc(4)]);
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...chunks.map(([type, text]) => chunk(type, Buffer.from(text, 'latin1'))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

test('the graph that ran, as it was before the attempt put its marks into it', async () => {
  const { jobId, filename } = await made(rig);
  const { status, json } = await metadata(filename);
  expect([status, json['workflow']]).toEqual([200, null]);
  const { json: graph } = await call(rig.app, `GET /api/jobs/${jobId}/graph`);
  expect(Object.keys(json['prompt'] as object)).toEqual(Object.keys(graph));
  const text = JSON.stringify(json['prompt']);
  expect(text).not.toContain(jobId.replaceAll('-', ''));
  expect(text).not.toContain('rest-api/');
  expect(text).not.toContain('comfyui_rest_api');
});

test('the canvas too, where the picture has it; an animated PNG has both in chunks of ComfyUI’s', async () => {
  const graph = { '1': { class_type: 'KSampler', inputs: { seed: 18446744073709551615n.toString() } } };
  const canvas = { nodes: [], links: [], version: 0.4 };
  for (const type of ['tEXt', 'comf']) {
    const bytes = png(
      [type, `prompt\0${JSON.stringify(graph)}`],
      [type, `workflow\0${JSON.stringify(canvas)}`],
    );
    expect((await metadata(await withBytes(bytes))).json).toEqual({ prompt: graph, workflow: canvas });
  }
});

test.each<[string, () => Uint8Array | Promise<Uint8Array>, string?]>([
  ['has none', () => png()],
  ['has other words there', () => png(['tEXt', 'prompt\0a red fox'])],
  ['has a list there', () => png(['tEXt', 'prompt\0[1, 2]'])],
  ['is damaged', () => png(['tEXt', `prompt\0${'x'.repeat(1000)}`]).subarray(0, 200)],
  ['is a JPEG', () => photo(8, 8).subarray(0, 100), 'image/jpeg'],
])('neither, of a picture that %s', async (_, bytes, contentType) => {
  const filename = await withBytes(await bytes(), contentType);
  expect(await metadata(filename)).toMatchObject({ status: 200, json: { prompt: null, workflow: null } });
});

test('neither, where images are published without', async () => {
  const { filename } = await made(stripped);
  expect((await metadata(filename, stripped)).json).toEqual({ prompt: null, workflow: null });
});

test('there is no such picture', async () => {
  const name = `Fox_${'0'.repeat(32)}_00001_.png`;
  expect(await metadata(name)).toMatchObject({ status: 404, json: { code: 'image_not_found' } });
});
