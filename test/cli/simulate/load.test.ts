// What DynamoDB is asked by a fleet, measured with the code that asks it: it grows as the fleet does, and no key is asked
// more than a partition gives. Then what a million jobs cost, and that docs/benchmarks.md says the same.

import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { costsOf, costTableOf, requestsOf } from '../../../functions/cli/simulate/costs.ts';
import { type Load, measureLoad } from '../../../functions/cli/simulate/load.ts';
import { extrapolated, loadTableOf, ofAJob, PARTITION } from '../../../functions/cli/simulate/load-table.ts';

const SECONDS = 45;
let loads: Load[];
beforeAll(async () => {
  loads = [];
  for (const hosts of [10, 100, 1000, 2000]) loads.push(await measureLoad(hosts, SECONDS));
}, 240_000);

test('reads and writes grow no faster than the hosts', () => {
  const [ten, hundred, thousand, more] = loads as [Load, Load, Load, Load];
  for (const [few, many] of [
    [ten, hundred],
    [hundred, thousand],
  ] as const) {
    expect(many.reads / few.reads).toBeLessThan(11);
    expect(many.writes / few.writes).toBeLessThan(11);
  }
  expect(thousand.reads / 1000).toBeLessThan(10);
  expect(more.reads / thousand.reads).toBeLessThan(2.1);
});

test('at ten thousand hosts no key is asked more than a partition gives', () => {
  const { hottestRead, hottestWrite } = extrapolated(loads, 10_000);
  expect(hottestRead.units).toBeLessThan(PARTITION.reads);
  expect(hottestWrite.units).toBeLessThan(PARTITION.writes);
});

test('a queue under two keys is asked for each no more than under one', () => {
  expect(loads[2]!.hottestRead.units).toBeLessThan(PARTITION.reads / 4);
  expect(loads[3]!.hottestRead.units).toBeLessThan(PARTITION.reads / 4);
});

test('a job is 11 write units and one for each step that is told', () => {
  expect(loads.map(({ job }) => job.writes)).toEqual([36, 36, 36, 36]);
});

test('a million images to the internet cost $126, whatever else', () => {
  const lines = costsOf({ reads: 0, writes: 0 }, SECONDS);
  expect(lines[0]).toMatchObject({ what: 'Images to the internet', counted: '1,500 − 100 free GB × $0.09' });
  expect(lines[0]!.dollars).toBeCloseTo(126, 6);
  expect(requestsOf(SECONDS)).toBe(26);
  expect(lines.find(({ what }) => what === 'CloudFront requests')!.dollars).toBeCloseTo(16, 6);
});

test('docs/benchmarks.md says what the command prints', async () => {
  const page = await readFile('docs/benchmarks.md', 'utf8');
  const printed = costTableOf(costsOf(ofAJob(loads[1]!, SECONDS), SECONDS));
  expect(page).toContain(printed);
  expect(page).toContain(loadTableOf([...loads, extrapolated(loads, 10_000)]));
});
