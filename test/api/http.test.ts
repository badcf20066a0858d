// What every answer has: the shape of errors, CORS, request ids; and logs that help without telling prompts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';
import { startDynamo } from '../support/store.ts';
import { anotherProcess, call, eventually, type Json, putJob } from './support.ts';

let rig: Rig;
const lines: string[] = [];
beforeAll(async () => {
  rig = await startRig({ onLog: (line) => lines.push(line) });
});
afterAll(() => rig.close());

describe('CORS', () => {
  const origin = 'https://app.example.com';

  test('answers of every kind may be read from any page', async () => {
    for (const [route, status] of [
      ['GET /api/workflows', 200],
      ['GET /api/status/x', 404],
      ['GET /nowhere', 404],
      ['PUT /api/generate', 405],
      ['POST /api/generate', 415],
    ] as const) {
      const answer = await call(rig.app, route, { headers: { origin } });
      expect([route, answer.status]).toEqual([route, status]);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
    }
  });

  test('a preflight allows the methods and headers that the API takes', async () => {
    const answer = await rig.app.request('/api/queue/x', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'DELETE',
        'access-control-request-headers': 'content-type,idempotency-key',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('idempotency-key');
  });

  test('with allowed origins set, only those', async () => {
    const strict = await startRig({ settings: { allowedOrigins: [origin, 'https://other.example.com'] } });
    try {
      const allowed = async (from: string) =>
        (await call(strict.app, 'GET /api/workflows', { headers: { origin: from } })).headers.get(
          'access-control-allow-origin',
        );
      expect(await allowed(origin)).toBe(origin);
      expect(await allowed('https://evil.example.com')).toBeNull();
    } finally {
      await strict.close();
    }
  });
});

test('what is not there is 404, a wrong method 405 with those that are right', async () => {
  for (const route of ['GET /nothing', 'GET /api/openapi-json'])
    expect(await call(rig.app, route)).toMatchObject({ status: 404, json: { code: 'route_not_found' } });
  for (const [route, allow] of [
    ['GET /api/generate', 'POST'],
    ['POST /api/status/x', 'GET'],
    ['PUT /api/queue', 'GET'],
    ['GET /api/queue/clear', 'DELETE, POST'],
    ['DELETE /api/image/x.png', 'GET'],
    ['POST /api/health', 'GET'],
    ['GET /api/upload/image', 'POST'],
    ['PATCH /api/history/x', 'DELETE'],
  ] as const) {
    const answer = await call(rig.app, route);
    expect([route, answer.status, answer.headers.get('allow')]).toEqual([route, 405, allow]);
    expect(answer.json).toMatchObject({ code: 'method_not_allowed', error: expect.any(String) });
  }
});

test('an answer carries a request id; the log has the same', async () => {
  const answer = await call(rig.app, 'GET /api/workflows');
  const id = answer.headers.get('x-request-id')!;
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(lines.some((line) => line.includes(id))).toBe(true);
});

test('a table that does not answer is 503 with Retry-After', async () => {
  const broken = await startRig({ store: await startDynamo() });
  const path = `/api/status/${await broken.generate()}`;
  await broken.close();
  const gone = await call(broken.app, `GET ${path}`);
  expect(gone.status).toBe(503);
  expect(gone.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(gone.json).toMatchObject({ code: 'unavailable' });
});

test('a mistake of ours is 500 with the id under which the log has the rest', async () => {
  const broken = anotherProcess(rig, {
    jobs: { ...rig.store.jobs, read: () => Promise.reject(new Error('secret detail in /etc/x.ts')) },
  });
  const answer = await call(broken, 'GET /api/status/550e8400-e29b-41d4-a716-446655440000');
  const id = answer.headers.get('x-request-id')!;
  expect(answer.status).toBe(500);
  expect(answer.json).toEqual({ error: `Internal error; request ${id}`, code: 'internal_error' });
  expect(lines.some((line) => line.includes(id) && line.includes('secret detail'))).toBe(true);
});

test('debug logs follow each job by its id, and never have a word of a prompt', async () => {
  await rig.addHost();
  const secrets = ['Xylophonquark', 'Nebelkrähe'];
  const json = { prompt: secrets[0], negative_prompt: secrets[1], steps: 2, width: 256, height: 256 };
  const { json: job } = await call(rig.app, 'POST /api/generate', {
    json,
    headers: { 'Idempotency-Key': 'k' },
  });
  await call(rig.app, 'POST /api/generate', {
    json: { ...json, steps: 3 },
    headers: { 'Idempotency-Key': 'k' },
  });
  for (const bad of [
    { ...json, steps: 99 },
    { ...json, width: secrets[0] },
    { ...json, prompt: `${secrets[0]}\u0007` },
  ])
    expect((await call(rig.app, 'POST /api/generate', { json: bad })).status).toBe(400);
  await call(rig.app, 'POST /api/generate', {
    body: `{"prompt": "${secrets[0]}`,
    headers: { 'content-type': 'application/json' },
  });
  const graph = structuredClone(rig.templates.get('flux2_turbo_default')!.graph);
  graph['4']!.inputs['text'] = secrets[0];
  graph['8']!.inputs['steps'] = secrets[1];
  const failing = await putJob(rig, { graph });
  await rig.until(String(job['job_id']), ['completed']);
  await rig.until(failing, ['failed']);
  await call(rig.app, 'GET /api/history');

  const events = (jobId: string) =>
    lines.map((line) => JSON.parse(line) as Json).filter((entry) => entry['jobId'] === jobId);
  await eventually('the end', async () => (await rig.store.jobs.countWork('held')) === 0);
  // The end is in the table before its line is in the log.
  await expect
    .poll(() => events(String(job['job_id'])).map(({ event }) => event))
    .toEqual(expect.arrayContaining(['job.accepted', 'job.claimed', 'job.completed']));
  await expect
    .poll(() => events(failing))
    .toContainEqual(expect.objectContaining({ event: 'job.failed', attempt: 1, code: 'refused_by_comfyui' }));
  expect(lines.length).toBeGreaterThan(10);
  for (const secret of secrets) expect(lines.filter((line) => line.includes(secret))).toEqual([]);
});
