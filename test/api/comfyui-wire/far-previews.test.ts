// Previews on ComfyUI's socket of jobs whose hosts are other processes: they come by the bucket, to who looks, of a few jobs at once.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { advance, cancel, claim, start } from '../../../functions/core/job.ts';
import { keys } from '../../../functions/core/names.ts';
import { listen, listenerOf } from '../../../functions/runtime/listen.ts';
import { appsWith } from '../../support/app.ts';
import { QUICK } from '../../support/quick.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call } from '../support.ts';
import { small } from '../v2/support.ts';
import { type Client, connect, endOf } from './client.ts';

const MOST = 8;
const METADATA = { type: 'feature_flags', data: { supports_preview_metadata: true } };

let rig: Rig;
let server: Awaited<ReturnType<typeof listen>>;
let wire: ReturnType<typeof appsWith>['wire'];
let clients: Client[] = [];
beforeAll(async () => {
  rig = await startRig({ timings: QUICK, forward: false });
  const { store, images, templates, log, timings } = rig;
  const other = appsWith({ ...store, images, workflows: { templates, refused: [] }, log, timings });
  wire = other.wire;
  server = await listen(listenerOf(wire), '127.0.0.1', 0);
  server.server.on('upgrade', other.upgrade);
});
afterEach(() => {
  for (const { socket } of clients) socket.terminate();
  clients = [];
});
afterAll(async () => {
  await server.close();
  await rig.close();
});

async function look(clientId: string): Promise<Client> {
  const client = await connect(`http://127.0.0.1:${server.port}`, { clientId });
  clients.push(client);
  client.socket.send(JSON.stringify(METADATA));
  await client.until(({ type }) => type === 'feature_flags');
  return client;
}

async function send(prompt: string, clientId?: string): Promise<string> {
  const graph = small(prompt);
  graph['8']!.inputs['steps'] = 50;
  const json = { prompt: graph, ...(clientId !== undefined && { client_id: clientId }) };
  const answer = await call(wire, 'POST /prompt', { json });
  expect(answer.status).toBe(200);
  return String(answer.json['prompt_id']);
}

async function unended(): Promise<string[]> {
  const { listWork } = rig.store.jobs;
  const lists = await Promise.all([listWork('waiting', 100), listWork('held', 100)]);
  return lists.flat().map(({ jobId }) => jobId);
}
const stateOf = async (jobId: string) => (await rig.store.jobs.readState(jobId))!;
const fence = { attempt: 1, host: 'host' };
const end = (jobId: string) => rig.store.jobs.write(jobId, cancel(rig.store.now()));

/** Prompts that run on a host of which nothing else is known. */
async function running(count: number, clientId?: string): Promise<string[]> {
  for (let at = 0; at < count; at += 1) await send(`prompt ${at}`, clientId);
  const jobIds = await unended();
  for (const jobId of jobIds) {
    const { write } = rig.store.jobs;
    await write(jobId, claim(await stateOf(jobId), 'host', rig.store.now(), true));
    await write(jobId, start(await stateOf(jobId), fence, rig.store.now()));
  }
  return jobIds;
}

async function askedFor(jobIds: string[]): Promise<string[]> {
  const states = await Promise.all(jobIds.map(stateOf));
  return states.filter(({ previewsUntil }) => previewsUntil !== undefined).map(({ jobId }) => jobId);
}

test.each([
  ['its client', 'me', MOST],
  ['nobody', undefined, MOST / 2],
])(
  'of many that run and were sent by %s only a few are asked for, and the next when one ends',
  async (_, clientId, most) => {
    const jobIds = await running(MOST + 2, clientId);
    await look('me');
    await expect.poll(() => askedFor(jobIds)).toHaveLength(most);
    const [first] = await askedFor(jobIds);
    await end(first!);
    let currentStep = 0;
    await expect
      .poll(async () => {
        // As their hosts write it each second.
        currentStep += 1;
        const step = { progress: currentStep / 1000, currentStep, totalSteps: 1000 };
        for (const jobId of jobIds) await rig.store.jobs.write(jobId, advance(fence, step, rig.store.now()));
        return askedFor(jobIds);
      })
      .toHaveLength(most + 1);
    for (const jobId of jobIds) await end(jobId);
  },
);

test('they come while the client looks, and nothing is asked for or stored for another', async () => {
  await rig.addHost({ comfyui: { previews: true, stepMs: 120 }, live: undefined });
  const storedOf = async (jobId: string) => (await rig.images.page(keys.derivedOfJob(jobId), 10)).items;

  const other = await look('other');
  await send('unseen', 'me');
  const [unseenJob] = await unended();
  await expect.poll(async () => (await stateOf(unseenJob!)).status).toBe('completed');
  expect(await storedOf(unseenJob!)).toEqual([]);
  expect(await stateOf(unseenJob!)).not.toHaveProperty('previewsUntil');

  const me = await look('me');
  const seen = await send('seen', 'me');
  await me.until(endOf(seen));
  expect(me.previews.length).toBeGreaterThan(0);
  const [first] = me.previews;
  const length = first!.readUInt32BE(4);
  expect(JSON.parse(first!.subarray(8, 8 + length).toString())).toMatchObject({
    node_id: '8',
    prompt_id: seen,
  });
  expect(first!.subarray(8 + length, 10 + length).toString('hex')).toBe('ffd8');
  expect(other.previews).toEqual([]);
}, 40_000);
