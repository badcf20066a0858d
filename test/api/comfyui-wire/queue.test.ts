// ComfyUI's wire ends prompts: POST /queue takes out what waits, POST /interrupt what runs, of the caller's own only; POST /history
// removes nothing.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApiApp } from '../../../functions/api/deps.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, eventually } from '../support.ts';
import { small } from '../v2/support.ts';
import { createKey, guardedWire } from './keys.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

const post = (path: string, json: unknown, wire: ApiApp = rig.wire, headers: Record<string, string> = {}) =>
  wire.request(path, { method: 'POST', body: JSON.stringify(json), headers });

async function send(text: string, wire = rig.wire, headers: Record<string, string> = {}): Promise<string> {
  const id = randomUUID();
  const answer = await post('/prompt', { prompt: small(text), prompt_id: id }, wire, headers);
  expect(answer.status).toBe(200);
  return id;
}

type Queue = Record<'queue_running' | 'queue_pending', unknown[][]>;

async function queue(wire = rig.wire, headers: Record<string, string> = {}) {
  const { json } = await call<Queue>(wire, 'GET /queue', { headers });
  const ids = (items: unknown[][]) => items.map(([, id]) => id);
  return { running: ids(json.queue_running), pending: ids(json.queue_pending) };
}

const untilRuns = (id: string, wire = rig.wire, headers: Record<string, string> = {}) =>
  eventually(`${id} to run`, async () => (await queue(wire, headers)).running.includes(id));

/** How its entry of the history ended; undefined: there is none. */
async function endOf(id: string): Promise<string | undefined> {
  const { json } = await call(rig.wire, `GET /history/${id}`);
  const entry = json[id] as { status: { messages: [string, unknown][] } } | undefined;
  return entry?.status.messages.at(-1)![0];
}

test('what waits is taken out by its id, or all of it', async () => {
  const [first, second, third] = [await send('1'), await send('2'), await send('3')];
  const answer = await post('/api/queue', { delete: [second, randomUUID(), 'abc'] });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
  expect((await queue()).pending).toEqual([first, third]);
  expect(await endOf(second)).toBeUndefined();
  await post('/queue', { clear: false });
  expect((await queue()).pending).toEqual([first, third]);
  await post('/queue', { clear: true });
  expect(await queue()).toEqual({ running: [], pending: [] });
});

test('what runs is interrupted by its id, or whatever runs; neither by the queue', async () => {
  await rig.addHost({ comfyui: { stepMs: 60_000 }, slots: 1 });
  const first = await send('runs');
  await untilRuns(first);
  const second = await send('waits');
  await post('/queue', { delete: [first] });
  await post('/interrupt', { prompt_id: second });
  expect(await queue()).toEqual({ running: [first], pending: [second] });
  await post('/interrupt', { prompt_id: first });
  await eventually('the interrupted', async () => (await endOf(first)) === 'execution_interrupted');
  await untilRuns(second);
  // A body that is no JSON names no prompt.
  expect((await rig.wire.request('/api/interrupt', { method: 'POST' })).status).toBe(200);
  await eventually('the interrupted', async () => (await endOf(second)) === 'execution_interrupted');
});

test('another owner’s prompts are left alone', async () => {
  await rig.addHost({ comfyui: { stepMs: 60_000 }, slots: 1 });
  const wire = guardedWire(rig);
  const as = async (owner: string) => ({ 'x-api-key': await createKey(rig, owner) });
  const [ada, bob] = [await as('ada'), await as('bob')];
  const hers = await send('hers', wire, ada);
  await untilRuns(hers, wire, ada);
  const waits = await send('hers too', wire, ada);
  for (const body of [{}, { prompt_id: hers }]) await post('/interrupt', body, wire, bob);
  for (const body of [{ clear: true }, { delete: [waits] }]) await post('/queue', body, wire, bob);
  expect(await queue(wire, ada)).toEqual({ running: [hers], pending: [waits] });
  const reader = { 'x-api-key': await createKey(rig, 'ada', ['read']) };
  for (const path of ['/interrupt', '/queue', '/free'])
    expect((await post(path, { clear: true }, wire, reader)).status).toBe(403);
  await post('/interrupt', {}, wire, ada);
  await untilRuns(waits, wire, ada);
  await post('/interrupt', {}, wire, ada);
});

test.each([{ delete: 'abc' }, { delete: [1] }, []])('%o is refused', async (body) => {
  for (const path of ['/queue', '/history']) expect((await post(path, body)).status).toBe(400);
});

test('the history is kept, and says so; of what it does not have nothing is to be removed', async () => {
  await rig.addHost();
  const id = await send('ends');
  await eventually('the end', () => endOf(id));
  for (const body of [{ clear: true }, { delete: [id] }]) {
    const { status, json } = await call(rig.wire, 'POST /history', { json: body });
    expect({ status, json }).toMatchObject({ status: 409, json: { error: { type: 'history_is_kept' } } });
  }
  expect((await post('/history', { delete: [randomUUID()], clear: false })).status).toBe(200);
  expect(await endOf(id)).toBe('execution_success');
});
