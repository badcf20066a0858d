// Each operation of the contract's YAML by each answer that it documents: made to happen, and held against it. What this service never
// answers is named at the end, with the reason.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askForKeys } from '../../../functions/api/http/access.ts';
import type { ApiApp, ApiDeps } from '../../../functions/api/deps.ts';
import { drawKey, type Scope } from '../../../functions/core/access.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, type Json, SETTINGS } from '../support.ts';
import { DOCUMENTED, faultsOf, faultsOfEvent } from './contract.ts';
import { blake3Of, eventsOf, picture, reading, small, untilEnded } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig.close());

const seen = new Set<string>();
const UNKNOWN = '00000000-0000-8000-8000-000000000000';

interface Asked {
  app?: ApiApp;
  headers?: Record<string, string>;
  json?: unknown;
  form?: FormData;
}

/** Holds the answer against the contract. */
async function ask(
  operationId: string,
  expected: number,
  route: string,
  { app = rig.app, headers = {}, json, form }: Asked = {},
): Promise<Json & { id: string }> {
  const [method, path] = route.split(' ') as [string, string];
  const answer = await app.request(`/api/v2${path}`, {
    method,
    headers: { ...headers, ...(json !== undefined && { 'content-type': 'application/json' }) },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(form && { body: form }),
  });
  const body = await answer.text();
  expect([operationId, answer.status, body.slice(0, 300)]).toEqual([
    operationId,
    expected,
    expect.anything(),
  ]);
  expect(faultsOf(operationId, { status: answer.status, headers: answer.headers, body })).toEqual([]);
  seen.add(`${operationId} ${answer.status}`);
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  return (isJson && body !== '' ? JSON.parse(body) : {}) as Json & { id: string };
}

function formOf(bytes: Buffer<ArrayBuffer>, more: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries({ content_type: 'image/png', file_path: 'photo.png', ...more }))
    form.append(name, value);
  form.append('file', new Blob([bytes]), 'photo.png');
  return form;
}

/** Every operation, with what it takes; the job and the asset are those given. */
const operationsOn = (job: string, asset: string, hash: string): [string, string, Asked?][] => [
  ['postAssets', 'POST /assets', { form: formOf(picture()) }],
  ['assetFromHash', 'POST /assets/from-hash', { json: { hash } }],
  ['headAssetByHash', `HEAD /assets/by-hash/${hash}`],
  ['getAsset', `GET /assets/${asset}`],
  ['deleteAsset', `DELETE /assets/${asset}`],
  ['getAssetContent', `GET /assets/${asset}/content`],
  ['postJobs', 'POST /jobs', { json: { workflow: small('x') } }],
  ['getJob', `GET /jobs/${job}`],
  ['getJobWorkflow', `GET /jobs/${job}/workflow`],
  ['getJobEvents', `GET /jobs/${job}/events`],
  ['cancelJob', `POST /jobs/${job}/cancel`],
];

test('jobs: what goes well', async () => {
  const { id } = await ask('postJobs', 201, 'POST /jobs', { json: { workflow: small('a fox') } });
  for (const { event, data } of await eventsOf(rig.app, id)) expect(faultsOfEvent(event, data)).toEqual([]);
  await untilEnded(rig.app, id);
  await ask('getJob', 200, `GET /jobs/${id}`);
  await ask('getJobWorkflow', 200, `GET /jobs/${id}/workflow`);
  await ask('getJobEvents', 200, `GET /jobs/${id}/events`);
  await ask('cancelJob', 200, `POST /jobs/${id}/cancel`);
});

test('a failed job is as documented', async () => {
  const { id } = await ask('postJobs', 201, 'POST /jobs', { json: { workflow: reading('absent.png') } });
  const job = await untilEnded(rig.app, id);
  expect(job).toMatchObject({ status: 'failed', error: { code: expect.any(String) as string } });
  await ask('getJob', 200, `GET /jobs/${id}`);
});

test('jobs: what is refused', async () => {
  const refused = (json: unknown, headers = {}) => ask('postJobs', 422, 'POST /jobs', { json, headers });
  const code = async (answer: Promise<unknown>) => ((await answer) as { error: { code: string } }).error.code;
  const key = { 'idempotency-key': 'conforms' };
  await ask('postJobs', 201, 'POST /jobs', { json: { workflow: small('mine') }, headers: key });
  expect(await code(refused({ workflow: small('other') }, key))).toBe('idempotency_key_reuse');
  expect(await code(refused({ workflow: {} }))).toBe('invalid_workflow');
  expect(await code(refused({ workflow: { nodes: [], links: [], last_node_id: 0 } }))).toBe(
    'workflow_format_ui',
  );
  const workflow = reading({ __type: 'core/ASSET', info: { id: UNKNOWN } });
  expect(await code(refused({ workflow }))).toBe('missing_asset');
  const full = anotherProcess(rig, { settings: { ...SETTINGS, maxWaiting: 0 } });
  await ask('postJobs', 429, 'POST /jobs', { app: full, json: { workflow: small('x') } });
  const paused = await startRig({ forward: false });
  try {
    const { id } = await ask('postJobs', 201, 'POST /jobs', {
      app: paused.app,
      json: { workflow: small('x') },
    });
    const none = anotherProcess(paused, { settings: { ...SETTINGS, openConnections: 0 } });
    await ask('getJobEvents', 429, `GET /jobs/${id}/events`, { app: none });
  } finally {
    await paused.close();
  }
});

test('assets: what goes well', async () => {
  const bytes = picture();
  const hash = await blake3Of(bytes);
  const { id } = await ask('postAssets', 201, 'POST /assets', {
    form: formOf(bytes, { expected_hash: hash }),
  });
  await ask('postAssets', 200, 'POST /assets', { form: formOf(bytes) });
  await ask('assetFromHash', 201, 'POST /assets/from-hash', { json: { hash, file_path: 'x.png' } });
  await ask('headAssetByHash', 200, `HEAD /assets/by-hash/${hash}`);
  await ask('getAsset', 200, `GET /assets/${id}`);
  await ask('getAssetContent', 200, `GET /assets/${id}/content`);
  await ask('getAssetContent', 206, `GET /assets/${id}/content`, { headers: { range: 'bytes=0-9' } });
  await ask('getAssetContent', 416, `GET /assets/${id}/content`, {
    headers: { range: 'bytes=999999-' },
  });
  const linking = anotherProcess(rig, { settings: { ...SETTINGS, links: 'bucket' } });
  await ask('getAssetContent', 302, `GET /assets/${id}/content`, { app: linking });
  await ask('deleteAsset', 204, `DELETE /assets/${id}`);
});

test('assets: what is refused', async () => {
  const wrong = { expected_hash: `blake3:${'0'.repeat(64)}` };
  await ask('postAssets', 409, 'POST /assets', { form: formOf(picture(), wrong) });
  await ask('postAssets', 422, 'POST /assets', { form: formOf(picture(), { file_path: '../x' }) });
  const { id } = await ask('postJobs', 201, 'POST /jobs', { json: { workflow: small('an output') } });
  const [output] = (await untilEnded(rig.app, id))['outputs'] as { id: string }[];
  await ask('deleteAsset', 409, `DELETE /assets/${output!.id}`);
});

test('what there is not: 404', async () => {
  for (const [id, route, asked] of operationsOn(UNKNOWN, UNKNOWN, `blake3:${'0'.repeat(64)}`))
    if (id !== 'postAssets' && id !== 'postJobs') await ask(id, 404, route, asked);
});

test('keys: 401 without one, 403 without its scope, 402 and 429 over its limits', async () => {
  const parts: Partial<ApiDeps> = { admit: askForKeys({ keys: rig.store.keys, now: rig.store.now }) };
  const closed = anotherProcess(rig, parts);
  const keyOf = async (owner: string, ...scopes: Scope[]) => {
    const { key, keyId, hash } = drawKey(randomBytes);
    await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: rig.store.now() });
    return { authorization: `Bearer ${key}` };
  };
  const reads = await keyOf('reader', 'read');
  const makes = await keyOf('maker', 'generate');
  for (const [id, route, asked] of operationsOn(UNKNOWN, UNKNOWN, `blake3:${'0'.repeat(64)}`)) {
    await ask(id, 401, route, { ...asked, app: closed });
    // It documents none: there are no bytes for a caller that may not use them.
    if (id === 'headAssetByHash') {
      await ask(id, 404, route, { app: closed, headers: reads });
      continue;
    }
    await ask(id, 403, route, { ...asked, app: closed, headers: route.startsWith('GET') ? makes : reads });
  }
  // A graph is more than the inputs of a template.
  const graph = { app: closed, json: { workflow: small('x') } };
  expect(await ask('postJobs', 403, 'POST /jobs', { ...graph, headers: makes })).toMatchObject({
    error: { code: 'forbidden', details: { scope: 'graphs' } },
  });
  const draws = await keyOf('drawer', 'graphs', 'read');
  const { id: drawn } = await ask('postJobs', 201, 'POST /jobs', { ...graph, headers: draws });
  await ask('cancelJob', 200, `POST /jobs/${drawn}/cancel`, { app: closed, headers: draws });
  const poor = anotherProcess(rig, {
    ...parts,
    settings: { ...SETTINGS, ownerLimits: { imagesPerDay: 0, readsPerMinute: 1 } },
  });
  const spent = await keyOf('spent', 'graphs', 'read');
  await ask('postJobs', 402, 'POST /jobs', { app: poor, json: { workflow: small('x') }, headers: spent });
  for (const [id, route] of [
    ['getJob', `GET /jobs/${UNKNOWN}`],
    ['getJobWorkflow', `GET /jobs/${UNKNOWN}/workflow`],
    ['cancelJob', `POST /jobs/${UNKNOWN}/cancel`],
  ] as const) {
    const headers = await keyOf(`hasty-${id}`, 'graphs', 'read');
    await ask(id, 404, route, { app: poor, headers });
    await ask(id, 429, route, { app: poor, headers });
  }
});

test('a table and a bucket that do not answer: 500 upstream_error, and nothing of the reason', async () => {
  const broken = () =>
    Promise.reject(Object.assign(new Error('the secret of the table'), { code: 'ECONNREFUSED' }));
  const breaking = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (of, name) => (typeof Reflect.get(of, name) === 'function' ? broken : undefined),
    });
  const { jobs, assets } = rig.store;
  const app = anotherProcess(rig, {
    jobs: breaking(jobs),
    assets: breaking(assets),
    images: breaking(rig.images),
    servedImages: breaking(rig.images),
  });
  for (const [id, route, asked] of operationsOn(UNKNOWN, UNKNOWN, `blake3:${'0'.repeat(64)}`)) {
    const answer = await ask(id, 500, route, { ...asked, app });
    expect(JSON.stringify(answer)).not.toContain('secret');
    if (id !== 'headAssetByHash') expect(answer).toMatchObject({ error: { code: 'upstream_error' } });
  }
});

/** Documented, and never answered here. */
const NEVER: Record<string, string> = {
  'assetFromHash 200': 'each call mints another asset',
  'getJobEvents 501': 'events are served',
};

test('every documented answer was made to happen, but for those that never are', () => {
  expect(DOCUMENTED.filter((one) => !seen.has(one) && NEVER[one] === undefined)).toEqual([]);
  expect(Object.keys(NEVER).filter((one) => seen.has(one) || !DOCUMENTED.includes(one))).toEqual([]);
});
