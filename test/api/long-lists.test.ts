// What a list costs does not grow with what lies behind it: 10,000 jobs beside ten, with a key and without.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { drawKey } from '../../functions/core/access.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, type PutJob, putJobs } from './support.ts';

const MANY = 10_000;
const FEW = 10;
const TRIES = 40;

/** Its `app` asks for a key: anna's. */
interface ListRig extends Rig {
  key: string;
}

async function rigWith(waiting: number, ended: number): Promise<ListRig> {
  const rig = await startRig({ forward: false });
  const { key, keyId, hash } = drawKey(randomBytes);
  const createdAt = rig.store.now();
  await rig.store.keys.add({ keyId, hash, name: 'anna', owner: 'anna', scopes: ['read'], createdAt });
  const start = rig.store.now() - 3_600_000;
  const jobs: PutJob[] = [];
  for (let at = 0; at < ended; at += 1)
    jobs.push({ owner: 'anna', createdAt: start + at, status: 'completed', images: 1 });
  for (let at = 0; at < ended; at += 1)
    jobs.push({ owner: 'anna', createdAt: start + at, status: 'cancelled' });
  for (let at = 0; at < waiting; at += 1)
    jobs.push({ owner: at % 2 === 0 ? 'anna' : 'bob', createdAt: start + ended + at });
  await putJobs(rig, jobs);
  const { now } = rig.store;
  return { ...rig, app: anotherProcess(rig, { now, admit: askForKeys({ keys: rig.store.keys, now }) }), key };
}

let few: ListRig;
let many: ListRig;
beforeAll(async () => {
  [few, many] = [await rigWith(FEW, FEW), await rigWith(MANY, MANY)];
}, 120_000);
afterAll(async () => {
  await few.close();
  await many.close();
});

async function once({ app, key }: ListRig, path: string): Promise<number> {
  const since = performance.now();
  const answer = await call(app, `GET /api/${path}`, { headers: { 'x-api-key': key } });
  expect(answer.status).toBe(200);
  return performance.now() - since;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

test.each([
  'history?limit=5',
  'outputs?limit=5',
  'queue?limit=5',
  'jobs?limit=5',
  'jobs?limit=5&state=queued',
])(
  '%s behind 10,000 takes what it takes behind ten',
  async (path) => {
    const took = { few: [] as number[], many: [] as number[] };
    await once(few, path);
    await once(many, path);
    // In turn: what else the machine does is the same for both.
    for (let round = 0; round < TRIES; round += 1) {
      took.few.push(await once(few, path));
      took.many.push(await once(many, path));
    }
    console.info(path, 'p50 ms', median(took.few).toFixed(1), median(took.many).toFixed(1));
    expect(median(took.many)).toBeLessThanOrEqual(1.3 * median(took.few) + 1);
  },
  60_000,
);
