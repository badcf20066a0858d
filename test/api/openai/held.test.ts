// A call is held until its job has ended, within the budget of open connections; how a job ends that makes no image.

import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { askForKeys } from '../../../functions/api/http/access.ts';
import { drawKey } from '../../../functions/core/access.ts';
import { SETTINGS } from '../../support/app.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, call } from '../support.ts';
import { clientOf, refusalOf, SMALL } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

const generate = { json: SMALL };

test('without room to be held the answer is 503, the job goes on, and the SDK comes again', async () => {
  rig = await startRig({ settings: { openConnections: 0 } });
  await rig.addHost();
  const answer = await call(rig.app, 'POST /v1/images/generations', generate);
  expect(answer).toMatchObject({
    status: 503,
    json: { error: { type: 'server_error', code: 'still_running', param: null } },
  });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  await rig.until(answer.headers.get('x-job-id')!, ['completed']);
});

test('a job that is cancelled is an answer, which the SDK does not ask for again', async () => {
  rig = await startRig();
  await rig.addHost({ comfyui: { stepMs: 300 } });
  const waiting = refusalOf(clientOf(rig).images.generate(SMALL));
  const newest = async () => (await rig.store.jobs.listOwned('local', 10)).items.map(({ jobId }) => jobId);
  await expect.poll(newest).toHaveLength(1);
  const [jobId] = await newest();
  await call(rig.app, `DELETE /api/queue/${jobId}`);
  expect(await waiting).toMatchObject({
    status: 422,
    type: 'image_generation_error',
    code: 'cancelled',
    param: null,
  });
  expect(await newest()).toEqual([jobId]);
});

test('keys, and limits, are refused as OpenAI does', async () => {
  rig = await startRig({ forward: false });
  const { keys, now } = rig.store;
  const app = anotherProcess(rig, { now, admit: askForKeys({ keys, now }, 'deployment-key') });
  expect(await call(app, 'GET /v1/models')).toMatchObject({
    status: 401,
    json: { error: { type: 'invalid_request_error', code: 'invalid_api_key' } },
  });
  const headers = { authorization: 'Bearer deployment-key' };
  expect(await call(app, 'GET /v1/models', { headers })).toMatchObject({ status: 200 });
  const full = anotherProcess(rig, {
    settings: { links: 'request', allowedOrigins: ['*'], fixedComfyUI: true, maxWaiting: 0 },
  });
  const answer = await call(full, 'POST /v1/images/generations', generate);
  expect(answer).toMatchObject({
    status: 429,
    json: { error: { type: 'requests', code: 'rate_limit_exceeded' } },
  });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('a job that fails by itself is an error of the call, which the SDK does not repeat', async () => {
  rig = await startRig();
  await rig.addHost({ comfyui: { stepMs: 0, faults: { unreadableEntry: 'no JSON' } } });
  expect(await refusalOf(clientOf(rig).images.generate(SMALL))).toMatchObject({
    status: 422,
    type: 'image_generation_error',
    code: 'unreadable_result',
    param: null,
  });
  expect((await rig.store.jobs.listOwned('local', 10)).items).toHaveLength(1);
});

test('what an owner has used up is OpenAI’s insufficient_quota, which the SDK does not ask for again', async () => {
  rig = await startRig({ forward: false });
  const { keys, now } = rig.store;
  const { key, keyId, hash } = drawKey(randomBytes);
  await keys.add({ keyId, hash, name: 'alice', owner: 'alice', scopes: ['generate', 'read'], createdAt: 0 });
  const app = anotherProcess(rig, {
    now,
    admit: askForKeys({ keys, now }),
    settings: { ...SETTINGS, openConnections: 0, ownerLimits: { imagesPerDay: 1 } },
  });
  const asked = { ...generate, headers: { authorization: `Bearer ${key}` } };
  expect(await call(app, 'POST /v1/images/generations', asked)).toMatchObject({ status: 503 });
  const answer = await call(app, 'POST /v1/images/generations', asked);
  expect(answer).toMatchObject({
    status: 429,
    json: { error: { type: 'insufficient_quota', code: 'insufficient_quota' } },
  });
  expect(answer.headers.get('x-should-retry')).toBe('false');
});

test('a call that is not held is asked to come again when its image should be there', async () => {
  rig = await startRig({ settings: { openConnections: 0, fixedComfyUI: false } });
  const answer = await call(rig.app, 'POST /v1/images/generations', generate);
  // No host is there: one has to start, which takes longer than the SDKs let themselves be told.
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '59']);
});
