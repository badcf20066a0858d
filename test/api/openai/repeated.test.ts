// Calls whose answers did not get through: a repetition gets the image of the call that it repeats, each its own, and no job is made
// twice. What tells one is only `x-stainless-retry-count`, as OpenAI's SDKs send it.

import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, call } from '../support.ts';
import { clientOf, SMALL } from './support.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

const jobs = async () => (await rig.store.jobs.listOwned('local', 100)).items.map(({ jobId }) => jobId);
const first = { json: SMALL, headers: { 'x-stainless-retry-count': '0' } };
const again = { json: SMALL, headers: { 'x-stainless-retry-count': '1' } };
const idOf = ({ headers }: { headers: Headers }) => headers.get('x-job-id');

/** Calls over a connection of its own. @returns ends it */
function callAndLeave(headers: Record<string, string> = first.headers): () => void {
  const asked = request(`${rig.url}/v1/images/generations`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...headers },
  });
  asked.on('error', () => undefined);
  asked.end(JSON.stringify(SMALL));
  return () => asked.destroy();
}

test('ten equal calls are ten jobs; ten that break off have their own images by repetition', async () => {
  const leave = Array.from({ length: 10 }, () => callAndLeave());
  await expect.poll(jobs).toHaveLength(10);
  for (const one of leave) one();
  await rig.addHost();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => call(rig.app, 'POST /v1/images/generations', again)),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(new Set(answers.map(idOf))).toEqual(new Set(await jobs()));
  expect(await jobs()).toHaveLength(10);
});

test('the image of a call for which another waits is not taken', async () => {
  callAndLeave();
  await expect.poll(jobs).toHaveLength(1);
  const [waitedFor] = await jobs();
  const repeated = call(rig.app, 'POST /v1/images/generations', again);
  await expect.poll(jobs).toHaveLength(2);
  await rig.addHost();
  expect(idOf(await repeated)).not.toBe(waitedFor);
});

test('what was answered is not given again, and a repetition of what never came is a new call', async () => {
  await rig.addHost();
  const answered = await call(rig.app, 'POST /v1/images/generations', first);
  const repeated = await call(rig.app, 'POST /v1/images/generations', again);
  expect(repeated.status).toBe(200);
  expect(idOf(repeated)).not.toBe(idOf(answered));
  const other = { ...again, json: { ...SMALL, prompt: 'a cat' } };
  expect((await call(rig.app, 'POST /v1/images/generations', other)).status).toBe(200);
  expect(await jobs()).toHaveLength(3);
});

test('a call that is no repetition joins none; after a quarter of an hour no repetition does', async () => {
  callAndLeave()();
  const leave = callAndLeave();
  await expect.poll(jobs).not.toHaveLength(0);
  leave();
  const before = await jobs();
  await rig.addHost();
  const fresh = await call(rig.app, 'POST /v1/images/generations', first);
  expect(before).not.toContain(idOf(fresh));
  const late = anotherProcess(rig, { now: () => rig.store.now() + 15 * 60_000 });
  const answer = await call(late, 'POST /v1/images/generations', again);
  expect(before).not.toContain(idOf(answer));
});

test('at another process too, which knows only the table', async () => {
  const elsewhere = anotherProcess(rig, {});
  const leave = callAndLeave();
  await expect.poll(jobs).toHaveLength(1);
  leave();
  await rig.addHost();
  const answer = await call(elsewhere, 'POST /v1/images/generations', again);
  expect([idOf(answer)]).toEqual(await jobs());
});

test('the SDK by itself: without room to be held it comes again until the image is there', async () => {
  await rig.close();
  rig = await startRig({ settings: { openConnections: 0 } });
  await rig.addHost();
  const { data, response } = await clientOf(rig, { maxRetries: 3 }).images.generate(SMALL).withResponse();
  expect(data.data).toHaveLength(1);
  expect([idOf(response)]).toEqual(await jobs());
});

test('a key of its client is one call, however often and whatever became of the first answer', async () => {
  await rig.addHost();
  const keyed = (more: object = {}) =>
    call(rig.app, 'POST /v1/images/generations', {
      json: { ...SMALL, ...more },
      headers: { 'idempotency-key': 'mine' },
    });
  const answers = [await keyed(), ...(await Promise.all([keyed(), keyed()]))];
  expect(new Set(answers.map(idOf)).size).toBe(1);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await keyed({ prompt: 'a cat' })).toMatchObject({
    status: 422,
    json: { error: { code: 'idempotency_mismatch', param: 'Idempotency-Key' } },
  });
});
