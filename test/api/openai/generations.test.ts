// POST /v1/images/generations and the models by OpenAI's own client: each parameter by each documented value makes what it says, is
// what happens anyway, or is refused by its name.

import type OpenAI from 'openai';
import type { ImageGenerateParamsNonStreaming } from 'openai/resources/images.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, type Json } from '../support.ts';
import { clientOf, refusalOf, sizeOfPng, SMALL } from './support.ts';

let rig: Rig;
let client: OpenAI;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
  client = clientOf(rig, { maxRetries: 0 });
});
afterAll(() => rig.close());

const generate = (more: object = {}) =>
  client.images.generate({ ...SMALL, ...more } as ImageGenerateParamsNonStreaming).withResponse();

async function jobOf({ headers }: Response): Promise<Json> {
  const [jobId] = (headers.get('x-job-id') ?? '').split(', ');
  return rig.status(jobId!);
}

async function inputsOf({ headers }: Response) {
  const [jobId] = (headers.get('x-job-id') ?? '').split(', ');
  return (await rig.store.jobs.readRequest(jobId!))!.inputs;
}

describe('models', () => {
  test('are the workflows, one by one and all', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual([...rig.templates.keys()]);
    expect(await client.models.retrieve('flux2_turbo_upscale')).toMatchObject({
      id: 'flux2_turbo_upscale',
      object: 'model',
      created: 0,
      owned_by: 'comfyui',
    });
    expect(await refusalOf(client.models.retrieve('sdxl'))).toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'invalid_request_error',
      param: 'model',
    });
  });

  test.each([undefined, null, '', 'gpt-image-1', 'gpt-image-2.5-flare', 'dall-e-3', 'chatgpt-image-latest'])(
    '%s is the default, and a header says which',
    async (model) => {
      const { response } = await generate({ model });
      expect(response.headers.get('x-workflow')).toBe('flux2_turbo_default');
    },
  );

  test('one is named, and one that there is not is refused', async () => {
    const { response } = await generate({ model: 'flux2_turbo_upscale' });
    expect(response.headers.get('x-workflow')).toBe('flux2_turbo_upscale');
    expect(await jobOf(response)).toMatchObject({ workflow: 'flux2_turbo_upscale', status: 'completed' });
    expect(await refusalOf(generate({ model: 'sdxl' }))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });
});

test('an image in base64, with what is told beside it', async () => {
  const { data, response, request_id: requestId } = await generate();
  expect(data).toMatchObject({
    created: expect.any(Number),
    background: 'opaque',
    output_format: 'png',
    size: '256x256',
    usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0, gpu_seconds: expect.any(Number) },
  });
  expect(Math.abs(data.created - Date.now() / 1000)).toBeLessThan(60);
  expect((data.usage as unknown as { gpu_seconds: number }).gpu_seconds).toBeGreaterThan(0);
  expect(data.data?.map(({ b64_json }) => sizeOfPng(b64_json))).toEqual(['256x256']);
  expect(requestId).toMatch(/^[\w-]{8,}$/);
  expect(await jobOf(response)).toMatchObject({ status: 'completed', prompt: 'a red fox' });
});

test('a link, which needs no key', async () => {
  const { data } = await generate({ response_format: 'url' });
  expect(data.data).toEqual([{ url: expect.stringMatching(/^http/) }]);
  const image = await fetch(data.data![0]!.url!);
  expect(image.headers.get('content-type')).toBe('image/png');
});

const TAKEN: [string, object, object?][] = [
  ['n null', { n: null }],
  ['size auto', { size: 'auto' }, { width: 1024, height: 1024 }],
  ['size null', { size: null }, { width: 1024 }],
  ['size 1024x1024', { size: '1024x1024' }, { width: 1024, height: 1024 }],
  ['size 1536x1024', { size: '1536x1024' }, { width: 1536, height: 1024 }],
  ['size 1024x1536', { size: '1024x1536' }, { width: 1024, height: 1536 }],
  ['size 1792x1024', { size: '1792x1024' }, { width: 1792, height: 1024 }],
  ['size 1024x1792', { size: '1024x1792' }, { width: 1024, height: 1792 }],
  ['size 512x512', { size: '512x512' }, { width: 512 }],
  ['size off the usual', { size: '272x336' }, { width: 272, height: 336 }],
  ['quality auto', { quality: 'auto', steps: undefined }, { steps: 25 }],
  ['quality standard', { quality: 'standard', steps: undefined }, { steps: 25 }],
  ['quality low', { quality: 'low', steps: undefined }, { steps: 8 }],
  ['quality medium', { quality: 'medium', steps: undefined }, { steps: 20 }],
  ['quality high', { quality: 'high', steps: undefined }, { steps: 28 }],
  ['quality hd', { quality: 'hd', steps: undefined }, { steps: 28 }],
  ['output_format png', { output_format: 'png' }],
  ['output_compression 100', { output_compression: 100 }],
  ['background auto', { background: 'auto' }],
  ['background opaque', { background: 'opaque' }],
  ['style vivid', { style: 'vivid' }],
  ['moderation auto', { moderation: 'auto' }],
  ['moderation low', { moderation: 'low' }],
  ['stream false', { stream: false }],
  ['complexity null', { complexity: null }],
  ['seed', { seed: 7 }, { seed: 7 }],
  ['any other input', { negative_prompt: 'rain', cfg: 2 }, { negative_prompt: 'rain', cfg: 2, true_cfg: 2 }],
  ['preset', { preset: 'turbo', steps: undefined }, { steps: 8 }],
];

test.concurrent.each(TAKEN)('takes %s', async (_, parameters, inputs) => {
  const { response } = await generate(parameters);
  expect(await inputsOf(response)).toMatchObject(inputs ?? {});
});

const REFUSED: [string, object, Partial<Json>?][] = [
  ['model', { model: 'sdxl' }, { status: 404, code: 'model_not_found' }],
  ['model', { model: 7 }, { code: 'invalid_type' }],
  ['prompt', { prompt: undefined }, { code: 'missing_required_parameter' }],
  ['prompt', { prompt: '' }, { code: 'missing_required_parameter' }],
  ['prompt', { prompt: 7 }],
  ['prompt', { prompt: 'x'.repeat(32_001) }],
  ['n', { n: 0 }, { code: 'integer_below_min_value' }],
  ['n', { n: 1000 }, { code: 'integer_above_max_value' }],
  ['n', { n: 1.5 }, { code: 'invalid_type' }],
  ['n', { n: '2' }, { code: 'invalid_type' }],
  ['size', { size: '250x250' }, { message: expect.stringContaining('256x256') }],
  ['size', { size: '1000x1000' }, { message: expect.stringContaining('1008x1008') }],
  ['size', { size: '4096x4096' }, { message: expect.stringContaining('2048x2048') }],
  ['size', { size: 'large' }],
  ['size', { size: '3:2' }],
  ['size', { size: 512 }],
  ['quality', { quality: 'xhigh' }, { code: 'unsupported_value' }],
  ['quality', { quality: 'max' }, { code: 'unsupported_value' }],
  ['quality', { quality: 'low', preset: 'turbo' }],
  ['output_format', { output_format: 'gif' }, { code: 'unsupported_value' }],
  ['output_format', { output_format: 'svg' }, { code: 'unsupported_value' }],
  ['output_format', { output_format: 7 }, { code: 'unsupported_value' }],
  ['output_compression', { output_compression: 50 }, { code: 'unsupported_value' }],
  ['output_compression', { output_format: 'png', output_compression: 0 }, { code: 'unsupported_value' }],
  [
    'output_compression',
    { output_format: 'jpeg', output_compression: -1 },
    { code: 'integer_below_min_value' },
  ],
  [
    'output_compression',
    { output_format: 'webp', output_compression: 101 },
    { code: 'integer_above_max_value' },
  ],
  ['output_compression', { output_format: 'webp', output_compression: 1.5 }, { code: 'invalid_type' }],
  ['output_compression', { output_format: 'webp', output_compression: '80' }, { code: 'invalid_type' }],
  ['background', { background: 'transparent' }, { code: 'unsupported_value' }],
  ['response_format', { response_format: 'hex' }],
  ['style', { style: 'natural' }, { code: 'unsupported_value' }],
  ['moderation', { moderation: 'high' }, { code: 'unsupported_value' }],
  ['complexity', { complexity: 'low' }, { code: 'unsupported_parameter' }],
  ['frame_count', { frame_count: 9 }, { code: 'unsupported_parameter' }],
  ['frame_duration_ms', { frame_duration_ms: 200 }, { code: 'unsupported_parameter' }],
  ['svg', { svg: {} }, { code: 'unsupported_parameter' }],
  ['user', { user: 'u'.repeat(300) }],
  ['safety_identifier', { safety_identifier: 7 }],
  ['metadata', { user: 'u', metadata: [] }],
  ['partial_images', { partial_images: 2 }, { code: 'unsupported_parameter' }],
  ['partial_images', { partial_images: 4, stream: true }, { code: 'integer_above_max_value' }],
  ['response_format', { response_format: 'url', stream: true }],
  ['stream', { stream: 'yes' }],
  ['workflow', { workflow: 'flux2_turbo_upscale' }, { code: 'unknown_parameter' }],
  ['batch_size', { batch_size: 2 }, { code: 'unknown_parameter' }],
  ['width', { width: 512 }, { code: 'unknown_parameter' }],
  ['steps', { steps: 1000 }, { code: 'invalid_value' }],
  ['colour', { colour: 'red' }, { code: 'unknown_parameter' }],
  ['seed', { seed: 'x' }],
  ['toString', { toString: 1 }, { code: 'unknown_parameter' }],
  ['constructor', { constructor: 1 }],
];

test.each(REFUSED)('refuses %s by its name: %j', async (param, parameters, error = {}) => {
  expect(await refusalOf(generate(parameters))).toMatchObject({
    status: 400,
    type: 'invalid_request_error',
    code: expect.stringMatching(/^[a-z_]+$/),
    param,
    ...error,
  });
});

test.each([
  [9_007_199_254_740_991, '9007199254740992'],
  [' 5 ', '6'],
  ['18446744073709551615', '0'],
])('of several jobs each has the next seed, and the first after the last: %j', async (seed, next) => {
  const { response } = await generate({ n: 10, ...({ seed } as object) });
  const [, second] = response.headers.get('x-job-id')!.split(', ');
  expect(await rig.status(second!)).toMatchObject({ seed_text: next });
});

test('several images come of one batch, and where a batch is smaller of several jobs', async () => {
  const { data, response } = await generate({ n: 3, seed: 5 });
  expect(data.data?.map(({ b64_json }) => sizeOfPng(b64_json))).toEqual(Array(3).fill('256x256'));
  expect(response.headers.get('x-job-id')?.split(', ')).toHaveLength(1);
  expect(await inputsOf(response)).toMatchObject({ batch_size: 3, seed: 5 });
  const ten = await generate({ n: 10, seed: 5 });
  expect(new Set(ten.data.data?.map(({ b64_json }) => b64_json)).size).toBe(10);
});

test.each([
  [{ user: 'u-1' }, { user: 'u-1' }],
  [{ user: 'u-1', safety_identifier: 's-1' }, { user: 's-1' }],
  [{ user: 'u-1', safety_identifier: '' }, { user: 'u-1' }],
  [
    { user: 'u-1', metadata: { project: 'spring' } },
    { project: 'spring', user: 'u-1' },
  ],
])('%j is labels of the job', async (parameters, metadata) => {
  const { response } = await generate(parameters);
  expect(await jobOf(response)).toMatchObject({ metadata });
});

test('what is no call of this API', async () => {
  const post = (path: string, asked: object) => call(rig.app, `POST ${path}`, asked);
  const big = { prompt: 'x'.repeat(30 * 1024 * 1024) };
  const error = (code: string) => ({ json: { error: { code, type: 'invalid_request_error', param: null } } });
  expect(await post('/v1/images/generations', { json: big })).toMatchObject({
    status: 413,
    ...error('body_too_large'),
  });
  expect(await post('/v1/images/generations', { json: [] })).toMatchObject({
    status: 400,
    ...error('invalid_json'),
  });
  expect(await post('/v1/images/generations', { body: 'prompt=x' })).toMatchObject({
    status: 415,
    ...error('unsupported_media_type'),
  });
  expect(await post('/v1/chat/completions', { json: {} })).toMatchObject({
    status: 404,
    ...error('route_not_found'),
  });
  expect(await call(rig.app, 'GET /v1/images/generations')).toMatchObject({
    status: 405,
    ...error('method_not_allowed'),
  });
});
