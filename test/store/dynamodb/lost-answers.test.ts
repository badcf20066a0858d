// The SDK makes a request again whose answer was lost: as ../lost-answers.ts has it.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apply, claim } from '../../../functions/core/job.ts';
import { TIMINGS } from '../../../functions/core/timings.ts';
import { createStoreClient, engineOf } from '../../../functions/store/dynamodb/client.ts';
import { createJobs, type Jobs } from '../../../functions/store/jobs.ts';
import { CREDENTIALS, type DynamoStore, REGION, startDynamo } from '../../support/store.ts';
import { HOST, NOW, STATES } from '../../core/job-states.ts';
import { createLosses, type Losses } from '../lost-answers.ts';

let store: DynamoStore;
let jobs: Jobs;
let line: Losses;
let close: () => void;
beforeAll(async () => {
  store = await startDynamo();
  const client = createStoreClient({ endpoint: store.url, region: REGION, credentials: CREDENTIALS });
  line = createLosses();
  client.raw.middlewareStack.add((next) => (args) => line.once(() => next(args)), {
    step: 'deserialize',
    priority: 'high',
    name: 'losses',
  });
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
  const state = { ...STATES.waiting, jobId: `lost-${made}`, workOrder: `${NOW}-${made}` };
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

it('a request that never arrived is made by the repetition', async () => {
  const state = await accepted();
  line.cut(1);
  expect(await jobs.write(state.jobId, claim(state, HOST, NOW, false))).toBe(true);
});

it('a table that never answers is an error after five requests, not a refusal', async () => {
  const state = await accepted();
  line.cut(5);
  await expect(jobs.write(state.jobId, claim(state, HOST, NOW, false))).rejects.toThrow('socket hang up');
  expect(await jobs.readState(state.jobId)).toMatchObject({ attempt: 0, work: 'waiting' });
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
