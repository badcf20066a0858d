// `npm start` is killed while ten clients wait, five in runsync and five by polls: each gets its image on its own retry or poll, and no
// job is made twice.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { type WithWire, withWire } from '../../support/with-wire.ts';
import { eventually, type Json } from '../support.ts';

let local: WithWire;
let base: string;
beforeAll(async () => {
  const port = await freePort();
  local = await withWire(25, { API_PORT: String(port) });
  base = `http://127.0.0.1:${port}`;
});
afterAll(() => local?.close());

const ask = (prompt: string) => JSON.stringify({ input: { prompt, width: 256, height: 256, steps: 20 } });
const json = { 'Content-Type': 'application/json' };

/** What a client's own loop does: again until it is answered. */
const again = (path: string, init?: RequestInit) =>
  eventually(
    path,
    async () => {
      const answer = await fetch(`${base}/v2/flux2_turbo_default/${path}`, init).catch(() => undefined);
      return answer?.ok && ((await answer.json()) as Json);
    },
    60_000,
  );

async function synced(number: number): Promise<Json> {
  const headers = { ...json, 'Idempotency-Key': `fox-${number}` };
  return again('runsync', { method: 'POST', headers, body: ask(`fox ${number}`) });
}

async function polled(number: number): Promise<Json> {
  const { id } = await again('run', { method: 'POST', headers: json, body: ask(`fox ${number}`) });
  return eventually(
    `the end of ${String(id)}`,
    async () => {
      const job = await again(`status/${String(id)}`);
      return !['IN_QUEUE', 'IN_PROGRESS'].includes(String(job['status'])) && job;
    },
    60_000,
  );
}

const accepted = async () => {
  const { total_jobs: total } = (await (await fetch(`${base}/api/queue`)).json()) as Json;
  return Number(total);
};

test('kill -9 while ten clients wait', async () => {
  const first = await local.start();
  const clients = Array.from({ length: 10 }, (_, number) => (number % 2 === 0 ? synced : polled)(number));
  await eventually('ten jobs', async () => (await accepted()) === 10);
  first.signal('SIGKILL');
  await first.ended;
  await local.start();

  const jobs = await Promise.all(clients);
  for (const job of jobs) {
    expect(job['status']).toBe('COMPLETED');
    const [image] = (job['output'] as { images: { data: string }[] }).images;
    expect(Buffer.from(image!.data, 'base64').toString('latin1', 1, 4)).toBe('PNG');
  }
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(10);
  const { total_items: total } = (await (await fetch(`${base}/api/history?limit=50`)).json()) as Json;
  expect(total).toBe(10);
}, 120_000);
