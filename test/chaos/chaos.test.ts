// A few seeds of `npm run chaos`, small ones, on every change; and those seeds that once found something.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, type Bundles } from './build.ts';
import type { Focus } from './plan.ts';
import { historyOf, runSeed } from './run.ts';

const HOSTS = ['host0', 'host1', 'host2'];
const RESTARTS: Focus = {
  kinds: ['kill', 'terminate'],
  targets: { kill: HOSTS, terminate: HOSTS },
  lasts: { kill: [20, 200], terminate: [20, 200] },
  clock: true,
  faults: 16,
};

let bundles: Bundles;
beforeAll(async () => {
  bundles = await bundle();
});
afterAll(() => bundles.remove());

async function violationsOf(seed: number, focus?: Focus): Promise<string[]> {
  const { result, histories } = await runSeed(bundles, seed, { jobs: 50, focus });
  expect(result.jobs).toBe(50);
  return result.violations.map(
    ({ check, jobId, detail }) => `${check}: ${detail}\n${historyOf(histories.get(jobId ?? '') ?? [])}`,
  );
}

test.each([1, 2, 3])('no job is lost, none is done twice: seed %i', { timeout: 90_000 }, async (seed) => {
  expect(await violationsOf(seed)).toEqual([]);
});

// A run wrote its first item by its own clock, before any answer had corrected it: where that was late, the controller
// took the host for dead as soon as it held a job. Found by seed 16.
test('a host whose clock is off is not dead at its start', { timeout: 90_000 }, async () => {
  expect(await violationsOf(16, RESTARTS)).toEqual([]);
});

// A heartbeat that had been under way for long overwrote a younger one, and a living host looked dead.
test('a heartbeat that comes late does no harm', { timeout: 90_000 }, async () => {
  expect(await violationsOf(126)).toEqual([]);
});

// All timers come at once when a machine wakes, and nobody's heart had beaten: each sleep cost what ran an attempt.
test('a machine that sleeps with all its processes loses nothing', { timeout: 90_000 }, async () => {
  expect(await violationsOf(1, { kinds: ['suspend'] })).toEqual([]);
});

// The SDK's requestTimeout only warned: whoever asked a table that never answered waited for ever.
test('a table that never answers is asked again', { timeout: 90_000 }, async () => {
  expect(await violationsOf(1, { kinds: ['table-deaf', 'bucket-deaf'] })).toEqual([]);
});
