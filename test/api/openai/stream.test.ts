// Calls that are answered as streams, by OpenAI's own client: previews as they come, then the images; and a stream that is cut.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../../functions/core/names.ts';
import { listen, listenerOf } from '../../../functions/runtime/listen.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, call } from '../support.ts';
import { clientOf, sizeOfPng, SMALL } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost({ comfyui: { previews: true, stepMs: 100 } });
});
afterAll(() => rig.close());

const streamed = (more: object = {}, headers: Record<string, string> = {}) =>
  clientOf(rig, { maxRetries: 0 }).images.generate({ ...SMALL, ...more, stream: true }, { headers });

test.each([0, 1, 2, 3])('%i unfinished images, and the image', async (wanted) => {
  const types: string[] = [];
  for await (const event of await streamed({ steps: 50, partial_images: wanted })) {
    types.push(event.type);
    if (event.type === 'image_generation.partial_image')
      expect(event).toMatchObject({
        partial_image_index: types.length - 1,
        b64_json: expect.stringMatching(/^.{100}/),
        output_format: expect.stringMatching(/^(jpeg|png)$/),
        size: '256x256',
        quality: 'auto',
        background: 'opaque',
        created_at: expect.any(Number),
      });
    else {
      expect(event).toMatchObject({ output_format: 'png', size: '256x256', usage: { total_tokens: 0 } });
      expect(sizeOfPng(event.b64_json)).toBe('256x256');
    }
  }
  const partial = Array<string>(wanted).fill('image_generation.partial_image');
  expect(types).toEqual([...partial, 'image_generation.completed']);
});

test('several images, each when it is there', async () => {
  const images: string[] = [];
  for await (const event of await streamed({ n: 3 })) images.push(event.b64_json);
  expect(images.map(sizeOfPng)).toEqual(Array(3).fill('256x256'));
});

test('a stream that is cut in the middle is taken up again by its key', async () => {
  const key = { 'idempotency-key': 'cut' };
  const asked = { steps: 20, partial_images: 3 };
  for await (const event of await streamed(asked, key)) {
    expect(event.type).toBe('image_generation.partial_image');
    break;
  }
  const before = (await rig.store.jobs.listOwned('local', 100)).items.length;
  const types: string[] = [];
  for await (const { type } of await streamed(asked, key)) types.push(type);
  expect(types.at(-1)).toBe('image_generation.completed');
  expect((await rig.store.jobs.listOwned('local', 100)).items).toHaveLength(before);
});

test('a job that ends without an image is an error in the stream', async () => {
  const reading = (async () => {
    for await (const event of await streamed({ steps: 50, prompt: 'a cat' })) expect(event).toBeUndefined();
  })();
  const ended = reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  const newest = async () => (await rig.store.jobs.listOwned('local', 1)).items[0]!.jobId;
  const before = await newest();
  await expect.poll(newest).not.toBe(before);
  await call(rig.app, `DELETE /api/queue/${await newest()}`);
  expect(await ended).toMatchObject({ code: 'cancelled', type: 'image_generation_error' });
});

describe('where the host is another process', () => {
  let own: Rig;
  let server: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    own = await startRig();
    await own.addHost({ comfyui: { previews: true, stepMs: 120 }, live: undefined });
    server = await listen(listenerOf(anotherProcess(own, {})), '127.0.0.1', 0);
  });
  afterAll(async () => {
    await server.close();
    await own.close();
  });

  async function typesOf(partialImages: number): Promise<{ types: string[]; jobId: string }> {
    const types: string[] = [];
    const client = clientOf({ url: `http://127.0.0.1:${server.port}` }, { maxRetries: 0 });
    const asked = { ...SMALL, steps: 50, partial_images: partialImages, stream: true } as const;
    for await (const { type } of await client.images.generate(asked)) types.push(type);
    return { types, jobId: (await own.store.jobs.listOwned('local', 1)).items[0]!.jobId };
  }
  const storedOf = async (jobId: string) => (await own.images.page(keys.derivedOfJob(jobId), 10)).items;

  test('unfinished images come by the bucket, no more than were asked for', async () => {
    const { types, jobId } = await typesOf(1);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
    expect(await storedOf(jobId)).toHaveLength(1);
  });

  test('none is stored, and nothing written, for who asks for none', async () => {
    const { types, jobId } = await typesOf(0);
    expect(types).toEqual(['image_generation.completed']);
    expect(await storedOf(jobId)).toEqual([]);
    expect(await own.store.jobs.readState(jobId)).not.toHaveProperty('previewsUntil');
  });
});
