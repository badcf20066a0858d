// Calls that are answered as streams, by OpenAI's own client: previews as they come, then the images; and a stream that is cut.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../../support/rig.ts';
import { call } from '../support.ts';
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
