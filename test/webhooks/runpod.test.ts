// A run's `webhook` gets what GET /v2/<endpoint>/status/<id> says, once the job has ended.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { expire } from '../../functions/core/job.ts';
import { keys } from '../../functions/core/names.ts';
import { call, type Json } from '../api/support.ts';
import { small } from '../api/v2/support.ts';
import { answers, startReceiver } from './receiver.ts';
import { type DeliveryRig, startDeliveryRig } from './rig.ts';

const HOUR = 3_600_000;
let rig: DeliveryRig;
beforeEach(async () => {
  rig = await startDeliveryRig();
});
afterEach(() => rig.close());

async function run(prompt: string, more: Json = {}): Promise<string> {
  const body = { input: { workflow: small(prompt) }, webhook: `${rig.receiver.url}/runpod`, ...more };
  const { status, json } = await call(rig.app, 'POST /v2/comfyui/run', { json: body });
  expect(status).toBe(200);
  return String(json['id']);
}

const statusOf = async (id: string) => (await call(rig.app, `GET /v2/comfyui/status/${id}`)).json;
const told = (nth = 0) => JSON.parse(rig.receiver.got[nth]!.body) as Json;

test('a completed job, with its image', async () => {
  await rig.addHost();
  const id = await run('a fox');
  await rig.until(id, ['completed']);
  expect(await rig.round()).toMatchObject({ taken: 1, tried: 1 });
  expect(rig.receiver.got[0]).toMatchObject({
    path: '/runpod',
    headers: { 'content-type': 'application/json', 'webhook-id': expect.any(String) },
  });
  expect(told()).toEqual(await statusOf(id));
  const [image] = (told()['output'] as { images: { data: string }[] }).images;
  expect(Buffer.from(image!.data, 'base64').toString('latin1', 1, 4)).toBe('PNG');
});

test('one that was cancelled, and one that waited too long', async () => {
  const cancelled = await run('cancelled');
  await call(rig.app, `POST /v2/comfyui/cancel/${cancelled}`);
  const late = await run('late');
  const state = (await rig.store.jobs.readState(late))!;
  await rig.store.jobs.write(late, expire(state, rig.store.now() + 25 * HOUR));
  await rig.round();
  const said = rig.receiver.got.map(({ body }) => JSON.parse(body) as Json);
  expect(new Map(said.map(({ id, status }) => [id, status]))).toEqual(
    new Map([
      [cancelled, 'CANCELLED'],
      [late, 'TIMED_OUT'],
    ]),
  );
  for (const one of said) expect(one).toEqual(await statusOf(String(one['id'])));
});

test('tried again until it is taken, with the same text under the same id', async () => {
  rig.receiver.answer((_got, res, nth) => void res.writeHead(nth === 1 ? 500 : 200).end());
  await rig.addHost();
  await rig.until(await run('a fox'), ['completed']);
  await rig.round();
  rig.wait(10_000);
  await rig.round();
  const [first, second] = rig.receiver.got;
  expect(second!.body).toBe(first!.body);
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  rig.wait(HOUR);
  await rig.round();
  expect(rig.receiver.got).toHaveLength(2);
});

test('what was removed, and what is too large for a message, is named', async () => {
  await rig.addHost();
  const id = await run('a fox');
  await rig.until(id, ['completed']);
  const { jobId, attempt, outputs } = (await rig.store.jobs.readState(id))!;
  const { filename } = outputs![0]!;
  await rig.images.delete([keys.image(jobId, attempt, filename)]);
  const { jobs } = rig.store;
  const large = { ...outputs![0]!, filename: 'large.png', sizeBytes: 7_000_000 };
  await rig.round({
    jobs: {
      ...jobs,
      async read(asked: string) {
        const job = (await jobs.read(asked))!;
        return { ...job, state: { ...job.state, outputs: [...outputs!, large] } };
      },
    },
  });
  expect(told()).toMatchObject({
    status: 'COMPLETED',
    output: {
      images: [],
      errors: [expect.stringContaining(filename), expect.stringContaining('large.png')],
    },
  });
});

test('a bucket that is silent costs no webhook: it is sent when it answers', async () => {
  await rig.addHost();
  const id = await run('a fox');
  await rig.until(id, ['completed']);
  await rig.round({ images: { get: () => Promise.reject(new Error('the bucket is away')) } });
  expect(rig.receiver.got).toEqual([]);
  rig.wait(31_000);
  await rig.round();
  expect(told()).toMatchObject({ id, status: 'COMPLETED' });
});

test('of many with files in them, few are in memory at once, and all come', async () => {
  await rig.addHost({ slots: 4 });
  const receivers = await Promise.all(Array.from({ length: 6 }, () => startReceiver()));
  const waiting: (() => void)[] = [];
  let most = 0;
  for (const { answer } of receivers)
    answer((_got, res) => {
      waiting.push(() => void res.writeHead(200).end());
      most = Math.max(most, waiting.length);
      if (waiting.length === 3) for (const end of waiting.splice(0)) end();
    });
  const ids = await Promise.all(
    receivers.map(({ url }, nth) => run(`fox ${nth}`, { webhook: `${url}/runpod` })),
  );
  for (const id of ids) await rig.until(id, ['completed']);
  await rig.round();
  expect(most).toBe(3);
  const bodies = receivers.flatMap(({ got }) => got.map(({ body }) => JSON.parse(body) as Json));
  expect(bodies.map(({ id }) => id)).toEqual(ids);
  await Promise.all(receivers.map((receiver) => receiver.close()));
});

test('the webhook of this API’s own stays as it is beside it', async () => {
  const jobId = await rig.cancelled('/own');
  rig.receiver.answer(answers(200));
  await rig.round();
  expect(told()).toMatchObject({ type: 'job.cancelled', data: { job_id: jobId } });
});
