// What a job made, as the guide's API shows it: every output with its record, and the images among them.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageName, keys } from '../../functions/core/names.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, type Json, putJob, SETTINGS } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

test('an output has its node, its place, its type, its size and the hash of its bytes', async () => {
  await rig.addHost();
  const jobId = await rig.generate({ batch_size: 2 });
  await rig.until(jobId, ['completed']);
  const status = (await (await fetch(`${rig.url}/api/status/${jobId}`)).json()) as Json;
  const outputs = status['outputs'] as Json[];
  expect(outputs).toHaveLength(2);
  for (const [index, output] of outputs.entries()) {
    const bytes = Buffer.from(await (await fetch(String(output['url']))).arrayBuffer());
    expect(output).toEqual({
      filename: expect.stringMatching(new RegExp(`_0000${index + 1}_\\.png$`)),
      node: '11',
      order: index + 1,
      kind: 'image',
      content_type: 'image/png',
      size_bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      width: 256,
      height: 256,
      url: expect.stringContaining('signature='),
    });
  }
  const images = status['images'] as Json[];
  expect(images.map(({ filename }) => filename)).toEqual(outputs.map(({ filename }) => filename));
  expect(status['output_image']).toBe(outputs[0]!['filename']);
});

test('a job of release 0.1, which has images alone, shows them as outputs', async () => {
  const jobId = await putJob(rig, { status: 'completed', images: 1 });
  const status = await rig.status(jobId);
  const filename = String(status['output_image']);
  expect(status).toMatchObject({
    images: [{ filename, width: 256, height: 256 }],
    outputs: [{ filename, node: '11', order: 1, kind: 'image', sha256: null, width: 256 }],
  });
});

test('what is no image is among the outputs and the history, and not among the images', async () => {
  const jobId = await putJob(rig, { status: 'completed' });
  const [mp4, png] = [imageName('Clip', jobId, 1, 'mp4'), imageName('Clip', jobId, 2, 'png')];
  const common = { sizeBytes: 10, sha256: 'ab'.repeat(32) };
  await rig.store.jobs.write(jobId, {
    verb: 'complete',
    when: [],
    set: {
      outputs: [
        {
          ...common,
          filename: mp4,
          node: '__proto__',
          key: 'constructor',
          kind: 'video',
          contentType: 'video/mp4',
        },
        { ...common, filename: png, node: '11', contentType: 'image/png', width: 4, height: 4 },
      ],
    },
    remove: [],
  });
  const status = await rig.status(jobId);
  expect(status).toMatchObject({
    output_image: png,
    images: [{ filename: png }],
    outputs: [
      { filename: mp4, order: 1, kind: 'video', content_type: 'video/mp4', width: null },
      { filename: png, order: 2, kind: 'image' },
    ],
  });
  const { json } = await call<{ history: Record<string, Json> }>(rig.app, 'GET /api/history');
  const entry = Object.values(json.history).find((one) => one['job_id'] === jobId)!;
  const file = (filename: string) => ({ filename, subfolder: '', type: 'output' });
  expect(entry['outputs']).toEqual(
    Object.fromEntries([
      ['__proto__', { constructor: [file(mp4)] }],
      ['11', { images: [file(png)] }],
    ]),
  );
  const { json: listed } = await call<{ images: string[] }>(rig.app, 'GET /api/outputs');
  expect(listed.images).toContain(png);
  expect(listed.images).not.toContain(mp4);
});

test('what is too large for a Lambda to stream is answered by its link to the bucket', async () => {
  const jobId = await putJob(rig, { status: 'completed' });
  const filename = imageName('Clip', jobId, 1, 'mp4');
  const film = { filename, node: '9', kind: 'video' as const, contentType: 'video/mp4' };
  const change = (sizeBytes: number) => ({
    verb: 'complete',
    when: [],
    set: { outputs: [{ ...film, sizeBytes }] },
    remove: [],
  });
  const app = anotherProcess(rig, { settings: { ...SETTINGS, links: 'bucket' } });
  const ask = (method = 'GET') => app.request(`/api/image/${filename}`, { method });
  await rig.images.put(keys.image(jobId, 1, filename), Buffer.alloc(9), { contentType: 'video/mp4' });
  await rig.store.jobs.write(jobId, change(9));
  expect((await ask()).status).toBe(200);
  await rig.store.jobs.write(jobId, change(2 ** 31));
  const answer = await ask();
  expect([answer.status, answer.headers.get('location')]).toEqual([
    302,
    expect.stringContaining('X-Amz-Signature='),
  ]);
  // A link is signed for GET.
  expect((await ask('HEAD')).status).toBe(200);
});
