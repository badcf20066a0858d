// A write whose answer was lost is repeated by the SDK, and then refused because it was made: what the store says of
// it, so that nobody takes a refusal for a proof.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apply, claim, complete, type Fence } from '../../functions/core/job.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { createStoreClient, engineOf } from '../../functions/store/dynamodb/client.ts';
import { createJobs, type Jobs } from '../../functions/store/jobs.ts';
import { CREDENTIALS, REGION, startStore, type TestStore } from '../support/store.ts';
import { HOST, IMAGE, NOW, STATES, STEPS } from '../core/job-states.ts';
import { type Line, tap } from './lost-answers.ts';

let store: TestStore;
let jobs: Jobs;
let line: Line;
let close: () => void;
beforeAll(async () => {
  store = await startStore();
  const client = createStoreClient({ endpoint: store.url, region: REGION, credentials: CREDENTIALS });
  line = tap(client);
  jobs = createJobs(engineOf(client, ''));
  close = () => client.raw.destroy();
});
afterAll(async () => {
  close();
  await store.close();
});

let made = 0;
async function accepted() {
  made += 1;
  const jobId = `lost-${made}`;
  const state = { ...STATES.waiting, jobId, workOrder: `${NOW}-${made}`, ownerOrder: `${NOW}#${jobId}` };
  await store.jobs.putState(state, 1);
  return state;
}

it('a claim that was made looks refused', async () => {
  const state = await accepted();
  const change = claim(state, HOST, NOW, false);
  const before = line.arrived();
  line.lose(1);
  expect(await jobs.write(state.jobId, change)).toBe(false);
  expect(line.arrived() - before).toBe(2);
  expect(await jobs.readState(state.jobId)).toMatchObject({ ...apply(state, change) });
});

it('a completion that was made looks refused', async () => {
  const state = await accepted();
  const change = claim(state, HOST, NOW, false);
  await jobs.write(state.jobId, change);
  const fence: Fence = { attempt: 1, host: HOST };
  line.lose(1);
  expect(await jobs.write(state.jobId, complete(state, fence, [IMAGE], STEPS, NOW))).toBe(false);
  expect(await jobs.readState(state.jobId)).toMatchObject({ status: 'completed', images: [IMAGE] });
});

it('a request that never arrived is made by the repetition', async () => {
  const state = await accepted();
  line.cut(1);
  expect(await jobs.write(state.jobId, claim(state, HOST, NOW, false))).toBe(true);
});

it('a table that never answers is an error, not a refusal', async () => {
  const state = await accepted();
  line.cut(5);
  await expect(jobs.write(state.jobId, claim(state, HOST, NOW, false))).rejects.toThrow('socket hang up');
  expect(await jobs.readState(state.jobId)).toMatchObject({ attempt: 0, work: 'waiting' });
});

it('an acceptance whose answers were lost yields the own request, and a state that is there', async () => {
  const { jobId, owner } = { ...STATES.waiting, jobId: 'lost-parts' };
  const request = { jobId, owner, workflow: 'w', inputs: {}, notes: [], bodyHash: 'mine', staging: [] };
  line.lose(1);
  expect(await jobs.putRequest(request, 1)).toMatchObject({ bodyHash: 'mine' });
  // Over how many keys the queue is spread it asks once in a while: that answer is none of an acceptance.
  await jobs.shards();
  line.lose(1);
  expect(await jobs.putState({ ...STATES.waiting, jobId }, 1)).toBe(false);
  expect(await jobs.read(jobId)).toMatchObject({ state: { status: 'queued' }, request });
});

it('an answer that stops in its middle is asked for again', async () => {
  let asked = 0;
  const server = createServer((req, res) => {
    req.resume();
    asked += 1;
    res.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', date: new Date().toUTCString() });
    if (asked === 1) res.write('{"Item":');
    else res.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createStoreClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: REGION,
    credentials: CREDENTIALS,
    timings: { ...TIMINGS, tableAnswersWithin: 1000 },
  });
  try {
    expect(await createJobs(engineOf(client, '')).readState('any')).toBeUndefined();
    expect(asked).toBe(2);
  } finally {
    client.raw.destroy();
    server.closeAllConnections();
    server.close();
  }
}, 20_000);
