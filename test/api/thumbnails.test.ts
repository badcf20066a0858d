// GET /api/image/<filename>/thumbnail: made once of what is an image, kept beside it, gone with it.

import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { imageType } from '../../functions/images/sniff.ts';
import { photo } from '../images/codec/support.ts';
import { build } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { putJob } from './support.ts';

let rig: Rig;
let name: string;
beforeAll(async () => {
  await build();
  rig = await startRig();
  await rig.addHost();
  const status = await rig.until(await rig.generate({ width: 512, height: 256 }), ['completed']);
  name = String(status['output_image']);
});
afterAll(() => rig.close());

const at = (filename: string, by = rig) => `${by.url}/api/image/${filename}/thumbnail`;
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

/** The name of the image of an ended job, whose bytes these are. */
async function withBytes(bytes: Uint8Array, contentType = 'image/png', by = rig): Promise<[string, string]> {
  const jobId = await putJob(by, { status: 'completed', images: 1 });
  const filename = String((await by.status(jobId))['output_image']);
  await by.images.put(keys.image(jobId, 1, filename), bytes, { contentType });
  return [jobId, filename];
}

async function keysOf(jobId: string): Promise<string[]> {
  const found: string[] = [];
  for (const prefix of [keys.imagesOfJob(jobId), keys.derivedOfJob(jobId)])
    for await (const { key } of rig.images.list(prefix)) found.push(key);
  return found;
}

test('200: WebP of at most 320 pixels a side, which may be kept for ever', async () => {
  const answer = await fetch(at(name));
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'image/webp',
    etag: expect.stringMatching(/^"[^"]+"$/),
    'cache-control': 'private, max-age=31536000, immutable',
  });
  expect(imageType(await bytesOf(answer))).toMatchObject({ extension: 'webp', width: 320, height: 160 });
});

test('304 for what the caller has; HEAD says what GET would', async () => {
  const { headers } = await fetch(at(name));
  const again = await fetch(at(name), { headers: { 'if-none-match': headers.get('etag')! } });
  expect(again.status).toBe(304);
  const head = await fetch(at(name), { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, headers.get('content-length')]);
});

test('a page of 60 large images weighs at most 1 MB', async () => {
  const [, filename] = await withBytes(photo(1024, 1024));
  const { length } = await bytesOf(await fetch(at(filename)));
  expect(length * 60).toBeLessThanOrEqual(2 ** 20);
});

test('asked for 60 times at once it is made once, and asked for again not at all', async () => {
  let made = 0;
  const [jobId, filename] = await withBytes(photo(600, 600));
  const { putOnce } = rig.images;
  rig.images.putOnce = (...put) => {
    made += 1;
    return putOnce(...put);
  };
  const answers = await Promise.all(Array.from({ length: 60 }, () => fetch(at(filename))));
  await fetch(at(filename)).then(bytesOf);
  rig.images.putOnce = putOnce;
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const bodies = await Promise.all(answers.map(bytesOf));
  expect(new Set(bodies.map((body) => body.toString('base64'))).size).toBe(1);
  expect(made).toBe(1);
  expect(await keysOf(jobId)).toHaveLength(2);
});

test('60 different ones at once all come', async () => {
  const names = await Promise.all(
    Array.from({ length: 60 }, async (_, at) => (await withBytes(photo(100 + at, 100)))[1]),
  );
  const answers = await Promise.all(names.map((filename) => fetch(at(filename))));
  const sizes = await Promise.all(answers.map(async (answer) => imageType(await bytesOf(answer))?.width));
  expect(sizes).toEqual(names.map((_, at) => 100 + at));
});

test('two processes that make it at once store the same', async () => {
  const [jobId, filename] = await withBytes(photo(600, 600));
  const other = await startRig({ store: rig.store });
  try {
    const { images } = other;
    images.get = (...asked) => rig.images.get(...asked);
    images.putOnce = (...put) => rig.images.putOnce(...put);
    const answers = await Promise.all([fetch(at(filename)), fetch(at(filename, other))]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [one, two] = await Promise.all(answers.map(bytesOf));
    expect(one!.equals(two!)).toBe(true);
    expect(await keysOf(jobId)).toHaveLength(2);
  } finally {
    other.store.close = () => Promise.resolve();
    await other.close();
  }
});

describe('is refused:', () => {
  const claims = PNG.sync.write(new PNG({ width: 1, height: 1 }));
  claims.writeUInt32BE(10_000, 16);
  claims.writeUInt32BE(10_000, 20);
  test.each([
    ['half a PNG', photo(300, 300).subarray(0, 1000), 'image/png'],
    ['a PNG that claims 100 megapixels', claims, 'image/png'],
    ['a text that is called a PNG', Buffer.from('not an image, though it says so'), 'image/png'],
    ['an empty file', Buffer.alloc(0), 'image/png'],
  ])('%s: 415 not_convertible, each time', async (_, bytes, type) => {
    const [, filename] = await withBytes(bytes, type);
    for (let round = 0; round < 2; round += 1) {
      const answer = await fetch(at(filename));
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({ code: 'not_convertible' });
    }
    expect((await fetch(at(name))).status).toBe(200);
  });

  test('of an image that the bucket has lost: 404', async () => {
    const jobId = await putJob(rig, { status: 'completed', images: 1 });
    const filename = String((await rig.status(jobId))['output_image']);
    const answer = await fetch(at(filename));
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ code: 'image_not_found' }),
    ]);
  });

  test('of a name that there is not: 404', async () => {
    expect((await fetch(at('none.png'))).status).toBe(404);
    expect((await fetch(at(`${name}x`))).status).toBe(404);
  });
});

describe('goes with its job', () => {
  const remove = (jobId: string) => fetch(`${rig.url}/api/history/${jobId}`, { method: 'DELETE' });

  test('that is removed', async () => {
    const [jobId, filename] = await withBytes(photo(100, 100));
    expect((await fetch(at(filename))).status).toBe(200);
    expect(await keysOf(jobId)).toEqual([
      keys.image(jobId, 1, filename),
      keys.derived(jobId, 1, filename, 'thumbnail.webp'),
    ]);
    expect((await remove(jobId)).status).toBe(200);
    expect(await keysOf(jobId)).toEqual([]);
    expect((await fetch(at(filename))).status).toBe(404);
  });

  test('that is removed while it is made, at any moment', async () => {
    const { putOnce } = rig.images;
    for (const when of ['before', 'after'] as const) {
      const [jobId, filename] = await withBytes(photo(100, 100));
      rig.images.putOnce = async (...put) => {
        if (when === 'before') await remove(jobId);
        const stored = await putOnce(...put);
        if (when === 'after') await remove(jobId);
        return stored;
      };
      const answer = await fetch(at(filename));
      rig.images.putOnce = putOnce;
      expect([when, answer.status]).toEqual([when, 404]);
      expect([when, await keysOf(jobId)]).toEqual([when, []]);
    }
  });

  test('that is being removed when it is stored', async () => {
    const [jobId, filename] = await withBytes(photo(100, 100));
    const { jobs } = rig.store;
    const drop = jobs.remove;
    // The images are gone, the record is not yet.
    jobs.remove = async (id) => {
      await rig.images.putOnce(keys.derived(id, 1, filename, 'thumbnail.webp'), Buffer.from('late'), {
        contentType: 'image/webp',
      });
      await drop(id);
    };
    expect((await remove(jobId)).status).toBe(200);
    jobs.remove = drop;
    expect(await keysOf(jobId)).toEqual([]);
  });
});
