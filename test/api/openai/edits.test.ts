// POST /v1/images/edits by OpenAI's own client: images and masks become inputs of the workflow, each other field does what it does in a
// generation, and what is no edit is refused by its name.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type OpenAI from 'openai';
import { toFile } from 'openai';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, type Json } from '../support.ts';
import { clientOf, refusalOf, sizeOfPng, SMALL } from './support.ts';

let rig: Rig;
let client: OpenAI;
let folder: string;

/** One that takes an image, one that takes two and a mask, one that takes none; the last is first. */
async function writeWorkflows(into: string): Promise<void> {
  const graphOf = async (name: string) => {
    const graph = JSON.parse(await readFile(`workflows/${name}.json`, 'utf8'));
    const inputs = JSON.parse(await readFile(`workflows/${name}.inputs.json`, 'utf8'));
    return { graph, inputs };
  };
  const write = async (name: string, { graph, inputs }: { graph: object; inputs: object }) => {
    await writeFile(join(into, `${name}.json`), JSON.stringify(graph));
    await writeFile(join(into, `${name}.inputs.json`), JSON.stringify(inputs));
  };
  await write('a_drawing', await graphOf('flux2_turbo_default'));
  await write('b_edges', await graphOf('flux2_turbo_controlnet'));
  const { graph, inputs } = await graphOf('flux2_turbo_controlnet');
  for (const [node, name] of [
    ['90', 'style_image'],
    ['91', 'mask'],
  ] as const) {
    graph[node] = { class_type: 'LoadImage', inputs: { image: '' } };
    inputs.inputs[name] = { type: 'image', default: '', to: `${node}.image` };
  }
  await write('c_inpaint', { graph, inputs });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edits-'));
  await writeWorkflows(folder);
  rig = await startRig({ workflows: folder });
  await rig.addHost({ comfyui: { previews: true } });
  client = clientOf(rig, { maxRetries: 0 });
});
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true });
});

/** @param shade so that no two are the same */
function png(width: number, height: number, shade = 0): Buffer {
  const image = new PNG({ width, height });
  image.data.fill(shade);
  return PNG.sync.write(image);
}
const file = (bytes: Buffer, name = 'photo.png') => toFile(bytes, name, { type: 'image/png' });
const nameOf = (bytes: Buffer) => `${createHash('sha256').update(bytes).digest('hex')}.png`;
const PHOTO = png(64, 48, 1);

const edit = async (more: object = {}) => {
  const asked = { ...SMALL, image: await file(PHOTO), ...more };
  return client.images.edit(asked as unknown as OpenAI.ImageEditParamsNonStreaming).withResponse();
};

async function inputsOf({ headers }: Response) {
  const [jobId] = (headers.get('x-job-id') ?? '').split(', ');
  return (await rig.store.jobs.readRequest(jobId!))!.inputs;
}

test('an image, edited by the first workflow that takes one', async () => {
  const { data, response } = await edit({ n: 2, seed: 7 });
  expect(response.headers.get('x-workflow')).toBe('b_edges');
  expect(data).toMatchObject({ size: '256x256', output_format: 'png', usage: { total_tokens: 0 } });
  expect(data.data?.map(({ b64_json }) => sizeOfPng(b64_json))).toEqual(['256x256', '256x256']);
  expect(await inputsOf(response)).toMatchObject({
    image: nameOf(PHOTO),
    prompt: 'a red fox',
    seed: 7,
    steps: 4,
  });
});

test.each([
  [undefined, 'b_edges'],
  ['gpt-image-1', 'b_edges'],
  ['', 'b_edges'],
  ['c_inpaint', 'c_inpaint'],
])('the model %s is %s', async (model, workflow) => {
  const { response } = await edit({ model });
  expect(response.headers.get('x-workflow')).toBe(workflow);
});

test('several images and a mask, in the order of the workflow’s inputs', async () => {
  const [second, mask] = [png(32, 32, 2), png(64, 48, 3)];
  const { response } = await edit({
    model: 'c_inpaint',
    image: [await file(PHOTO), await file(second)],
    mask: await file(mask, 'mask.png'),
  });
  expect(await inputsOf(response)).toMatchObject({
    image: nameOf(PHOTO),
    style_image: nameOf(second),
    mask: nameOf(mask),
  });
  // One that a field names is taken by no file.
  const named = await edit({ model: 'c_inpaint', style_image: nameOf(second), mask: await file(mask) });
  expect(await inputsOf(named.response)).toMatchObject({ image: nameOf(PHOTO), style_image: nameOf(second) });
});

const TAKEN: [string, object, object?][] = [
  ['size', { size: '272x336' }, { width: 272, height: 336 }],
  ['quality', { quality: 'low', steps: undefined }, { steps: 8 }],
  ['input_fidelity', { input_fidelity: 'low' }],
  ['background', { background: 'opaque' }],
  ['output_format', { output_format: 'png', output_compression: 100 }],
  ['stream', { stream: false }],
  ['response_format', { response_format: 'url' }],
  ['a large seed', { seed: String(2n ** 60n) }, { seed: 2n ** 60n }],
];
test.concurrent.each(TAKEN)('takes %s from a form', async (_, parameters, inputs = {}) => {
  const { response } = await edit(parameters);
  expect(await inputsOf(response)).toMatchObject(inputs);
});

test('user and metadata are labels of the job', async () => {
  const { response } = await edit({ user: 'u-1', metadata: { project: 'spring' } });
  expect(await rig.status(response.headers.get('x-job-id')!)).toMatchObject({
    metadata: { user: 'u-1', project: 'spring' },
  });
});

const file17 = () => Promise.all(Array.from({ length: 17 }, () => file(PHOTO)));
const REFUSED: [string, string, () => object | Promise<object>, Partial<Json>?][] = [
  ['image', 'missing', () => ({ image: undefined }), { code: 'missing_required_parameter' }],
  ['image', 'a text', () => ({ image: 'photo.png' }), { code: 'invalid_type' }],
  [
    'image',
    'a PDF',
    async () => ({ image: await file(Buffer.from('%PDF-1.7\n')) }),
    { code: 'invalid_image' },
  ],
  [
    'image',
    'a text file',
    async () => ({ image: await file(Buffer.from('fox')) }),
    { code: 'invalid_image' },
  ],
  ['image', 'empty', async () => ({ image: await file(Buffer.alloc(0)) }), { code: 'invalid_image' }],
  [
    'image',
    'half of one',
    async () => ({ image: await file(png(64, 64).subarray(0, 60)) }),
    { code: 'invalid_image' },
  ],
  [
    'image',
    '30 MB',
    async () => ({ image: await file(Buffer.alloc(30 * 1024 * 1024)) }),
    { code: 'invalid_image' },
  ],
  ['image', '17', async () => ({ image: await file17() }), { code: 'invalid_value' }],
  ['image', 'two for one input', async () => ({ image: [await file(PHOTO), await file(PHOTO)] })],
  ['mask', 'no input', async () => ({ mask: await file(PHOTO) }), { code: 'unsupported_parameter' }],
  [
    'mask',
    'of another size',
    async () => ({ model: 'c_inpaint', mask: await file(png(48, 64)) }),
    { message: expect.stringContaining('64x48') },
  ],
  ['mask', 'a PDF', async () => ({ model: 'c_inpaint', mask: await file(Buffer.from('%PDF-1.7\n')) })],
  ['model', 'without images', () => ({ model: 'a_drawing' }), { code: 'unsupported_value' }],
  ['model', 'unknown', () => ({ model: 'sdxl' }), { status: 404, code: 'model_not_found' }],
  ['prompt', 'missing', () => ({ prompt: undefined }), { code: 'missing_required_parameter' }],
  ['n', '0', () => ({ n: 0 }), { code: 'integer_below_min_value' }],
  ['n', '1000', () => ({ n: 1000 }), { code: 'integer_above_max_value' }],
  ['n', 'a word', () => ({ n: 'two' }), { code: 'invalid_type' }],
  ['size', 'off the grid', () => ({ size: '250x250' })],
  ['stream', 'a word', () => ({ stream: 'yes' }), { code: 'invalid_type' }],
  ['input_fidelity', 'high', () => ({ input_fidelity: 'high' }), { code: 'unsupported_value' }],
  ['background', 'transparent', () => ({ background: 'transparent' }), { code: 'unsupported_value' }],
  ['output_format', 'gif', () => ({ output_format: 'gif' }), { code: 'unsupported_value' }],
  ['colour', 'unknown', () => ({ colour: 'red' }), { code: 'unknown_parameter' }],
  ['photo', 'another file', async () => ({ photo: await file(PHOTO) }), { code: 'unknown_parameter' }],
];
test.each(REFUSED)('refuses %s, %s', async (param, _, parameters, error = {}) => {
  const refusal = await refusalOf(edit(await parameters()));
  expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error', param, ...error });
});

test('what was refused is not stored', async () => {
  const image = png(40, 40, 9);
  await refusalOf(edit({ image: await file(image), n: 0 }));
  expect(await rig.images.head(`uploads/local/${nameOf(image)}`)).toBeUndefined();
});

test('what is no form, and what is too large', async () => {
  const post = (asked: object) => call(rig.app, 'POST /v1/images/edits', asked);
  const error = (code: string) => ({ json: { error: { code, type: 'invalid_request_error', param: null } } });
  expect(await post({ json: SMALL })).toMatchObject({ status: 415, ...error('unsupported_media_type') });
  for (const [type, body] of [
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na fox'],
    ['multipart/form-data; boundary=b', ''],
  ] as const)
    expect(await post({ body, headers: { 'content-type': type } })).toMatchObject({
      status: 400,
      ...error('invalid_form'),
    });
  const field = '--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na fox\r\n';
  const many = {
    body: `${field.repeat(10_000)}--b--`,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  };
  expect(await post(many)).toMatchObject({ status: 400, ...error('invalid_form') });
  const refusal = await refusalOf(edit({ image: await file(Buffer.alloc(51 * 1024 * 1024)) }));
  expect(refusal).toMatchObject({ status: 413, code: 'body_too_large', type: 'invalid_request_error' });
});

test('a stream has the events of an edit', async () => {
  const types: string[] = [];
  const image = await file(PHOTO);
  const asked = { ...SMALL, steps: 50, image, stream: true, partial_images: 1 } as const;
  for await (const event of await client.images.edit(asked)) types.push(event.type);
  expect(types).toEqual(['image_edit.partial_image', 'image_edit.completed']);
});

test('a repetition, whose form has another boundary, gets the job of the call that broke off', async () => {
  const alone = await startRig({ workflows: folder });
  try {
    const body = (boundary: string) =>
      Buffer.concat([
        Buffer.from(
          `--${boundary}\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na fox\r\n` +
            `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n` +
            'content-type: image/png\r\n\r\n',
        ),
        PHOTO,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
    const type = (boundary: string) => ({ 'content-type': `multipart/form-data; boundary=${boundary}` });
    const first = request(`${alone.url}/v1/images/edits`, {
      method: 'POST',
      agent: false,
      headers: type('one'),
    });
    first.on('error', () => undefined);
    first.end(body('one'));
    const jobs = async () => (await alone.store.jobs.listOwned('local', 9)).items.map(({ jobId }) => jobId);
    await expect.poll(jobs).toHaveLength(1);
    first.destroy();
    await alone.addHost();
    const again = await call(alone.app, 'POST /v1/images/edits', {
      body: body('two'),
      headers: { ...type('two'), 'x-stainless-retry-count': '1' },
    });
    expect(again.status).toBe(200);
    expect([again.headers.get('x-job-id')]).toEqual(await jobs());
  } finally {
    await alone.close();
  }
});
