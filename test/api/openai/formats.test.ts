// output_format and output_compression by OpenAI's own client: JPEG and WebP in every way that an image is given.

import { type OpenAI, toFile } from 'openai';
import type { ImageGenerateParamsNonStreaming } from 'openai/resources/images.js';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../../functions/core/names.ts';
import { imageType } from '../../../functions/images/sniff.ts';
import { build } from '../../support/program.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { clientOf, refusalOf, SMALL } from './support.ts';

let rig: Rig;
let client: OpenAI;
beforeAll(async () => {
  await build();
  rig = await startRig();
  await rig.addHost({ comfyui: { previews: true } });
  client = clientOf(rig, { maxRetries: 0 });
});
afterAll(() => rig.close());

const generate = (more: object = {}, headers: Record<string, string> = {}) =>
  client.images
    .generate({ ...SMALL, ...more } as ImageGenerateParamsNonStreaming, { headers })
    .withResponse();
const typeOf = (base64: string | undefined) => imageType(Buffer.from(base64 ?? '', 'base64'));

async function derivedOf(response: Response): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of rig.images.list(keys.derivedOfJob(response.headers.get('x-job-id')!)))
    found.push(key);
  return found;
}

describe.each([
  ['jpeg', 'jpg'],
  ['webp', 'webp'],
] as const)('%s', (format, extension) => {
  test('in base64, of several images each', async () => {
    const { data } = await generate({ output_format: format, n: 3 });
    expect(data).toMatchObject({ output_format: format, size: '256x256' });
    expect(data.data?.map(({ b64_json }) => typeOf(b64_json))).toEqual(
      [1, 2, 3].map(() => ({ contentType: `image/${format}`, extension, width: 256, height: 256 })),
    );
  });

  test('by a link, under its name and type', async () => {
    const { data } = await generate({ output_format: format, response_format: 'url' });
    expect(data.output_format).toBe(format);
    const answer = await fetch(data.data![0]!.url!);
    expect(answer.headers.get('content-type')).toBe(`image/${format}`);
    expect(answer.headers.get('content-disposition')).toMatch(new RegExp(`\\.${extension}"$`));
    expect(imageType(Buffer.from(await answer.arrayBuffer()))).toMatchObject({ extension });
  });

  test('of less quality is smaller', async () => {
    const sizes: number[] = [];
    for (const output_compression of [0, 50, 100]) {
      const { data } = await generate({ output_format: format, output_compression, seed: 1 });
      sizes.push(data.data![0]!.b64_json!.length);
    }
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes[2]).toBeGreaterThan(sizes[0]!);
  });

  test('of a stream, whose unfinished images are what they are', async () => {
    const types: string[] = [];
    const asked = { ...SMALL, steps: 30, output_format: format, partial_images: 1 };
    const stream = await client.images.generate({ ...asked, stream: true });
    for await (const event of stream) {
      types.push(event.type);
      const { extension: is } = typeOf(event.b64_json)!;
      expect(event.output_format).toBe(is === 'jpg' ? 'jpeg' : is);
      if (event.type === 'image_generation.completed') expect(event.output_format).toBe(format);
    }
    expect(types.at(-1)).toBe('image_generation.completed');
  });

  test('of an edit', async () => {
    const photo = PNG.sync.write(new PNG({ width: 64, height: 64 }));
    const data = await client.images.edit({
      prompt: 'a fox',
      model: 'flux2_turbo_controlnet',
      image: await toFile(photo, 'photo.png', { type: 'image/png' }),
      output_format: format,
      output_compression: 80,
    });
    expect(data.output_format).toBe(format);
    expect(typeOf(data.data?.[0]?.b64_json)).toMatchObject({ extension });
  });

  test('carries neither prompt nor graph', async () => {
    const { data } = await generate({ prompt: 'a very secret fox', output_format: format });
    const bytes = Buffer.from(data.data![0]!.b64_json!, 'base64');
    expect(bytes.includes('secret')).toBe(false);
    const png = await generate({ prompt: 'a very secret fox' });
    expect(Buffer.from(png.data.data![0]!.b64_json!, 'base64').includes('secret')).toBe(true);
  });

  test('is made once for a repetition, and removed with its job', async () => {
    const once = { 'idempotency-key': `once-${format}` };
    const [first, second] = [
      await generate({ output_format: format, output_compression: 70 }, once),
      await generate({ output_format: format, output_compression: 70 }, once),
    ];
    expect(second.data.data).toEqual(first.data.data);
    expect(await derivedOf(first.response)).toEqual([
      expect.stringMatching(new RegExp(`\\.q70\\.${extension}$`)),
    ]);
    const jobId = first.response.headers.get('x-job-id')!;
    await fetch(`${rig.url}/api/history/${jobId}`, { method: 'DELETE' });
    expect(await derivedOf(first.response)).toEqual([]);
  });
});

test('png is given as it is, and nothing is made of it', async () => {
  const { data, response } = await generate({ output_format: 'png', output_compression: 100 });
  expect(typeOf(data.data?.[0]?.b64_json)).toMatchObject({ extension: 'png' });
  expect(await derivedOf(response)).toEqual([]);
});

test('an image that cannot be converted is an error of that call, which is not repeated', async () => {
  const { putOnce, get } = rig.images;
  rig.images.get = async (key, ...asked) => {
    const stored = await get(key, ...asked);
    return stored && typeof stored === 'object' && key.startsWith('images/')
      ? { ...stored, body: Buffer.from('no image') }
      : stored;
  };
  const refusal = await refusalOf(generate({ output_format: 'webp' }));
  Object.assign(rig.images, { putOnce, get });
  expect(refusal).toMatchObject({
    status: 422,
    type: 'image_generation_error',
    code: 'not_convertible',
    param: 'output_format',
  });
  expect(refusal.headers?.get('x-should-retry')).toBe('false');
});
