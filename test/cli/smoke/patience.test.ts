// The time of the smoke test ends when it is said to, also where an API takes requests and answers none.

import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAsk, OutOfTime } from '../../../functions/cli/smoke/ask.ts';
import { cleanUp } from '../../../functions/cli/smoke/clean.ts';
import { poll, type Smoke } from '../../../functions/cli/smoke/smoke.ts';
import { listenOn } from '../../support/listen-on.ts';

let silent: Server;
let url: string;
beforeAll(async () => {
  silent = createServer(() => undefined);
  url = await listenOn(silent);
});
afterAll(() => silent.close().closeAllConnections());

/** Far from the ten seconds that a request may take, and from the second between two looks. */
const SOON = 200;
const stopped = new AbortController().signal;

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await run();
  return (performance.now() - from) / 1000;
}

test('a request under way is given up, and none is made later', async () => {
  const ask = createAsk(url, undefined, stopped, { until: Date.now() + 200 });
  expect(await secondsOf(() => expect(ask('/api/health')).rejects.toThrow(OutOfTime))).toBeLessThan(5);
  await expect(ask('/api/health')).rejects.toThrow('GET /api/health: the time is over');
});

test('a request that is late by itself says so', async () => {
  const ask = createAsk(url, undefined, stopped, { until: Date.now() + 60_000, atMost: 100 });
  await expect(ask('/api/health')).rejects.toThrow('GET /api/health: no whole answer within 0.1 s');
});

test.each([
  ['between two looks', () => Promise.resolve(undefined)],
  ['in a look', (until: number) => createAsk(url, undefined, stopped, { until })('/').then(() => undefined)],
])('what is waited for ends without an answer when the time does %s', async (_, look) => {
  const until = Date.now() + SOON;
  expect(await poll({ until, stopped } as Smoke, () => look(until))).toBeUndefined();
  const late = Date.now() - until;
  expect(late).toBeGreaterThanOrEqual(0);
  // The rest of a pause would be 800 ms, that of a request 9,800.
  expect(late).toBeLessThan(600);
});

test('all that is to be removed has one limit', async () => {
  const made = { jobs: new Set(['a', 'b']), uploads: new Set(['c']) };
  const seconds = await secondsOf(() =>
    expect(cleanUp({ url, key: undefined, made }, 200)).rejects.toThrow('not everything could be removed'),
  );
  expect(seconds).toBeLessThan(5);
});
