// What DynamoDB is asked by a fleet, measured with the code that asks it: it grows as the fleet does, and no key is asked
// more than a partition gives. Then what a million jobs cost, and that docs/benchmarks.md says the same.

import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { costsOf, costTableOf, requestsOf } from '../../../functions/cli/simulate/costs.ts';
import { type Load, measureLoad } from '../../../functions/cli/simulate/load.ts';
import { loadTableOf, ofAJob, PARTITION } from '../../../functions/cli/simulate/load-table.ts';

const SECONDS = 45;
let loads: Load[];
beforeAll(async () => {
  loads = [];
  for (const hosts of [10, 100, 1000, 10_000]) loads.push(await measureLoad(hosts, SECONDS));
}, 600_000);

test('reads and writes grow no faster than the hosts', () => {
  const [ten, hundred, thousand, more] = loads as [Load, Load, Load, Load];
  for (const [few, many] of [
    [ten, hundred],
    [hundred, thousand],
    // Each request of the API and each round of the controller sees ten times the hosts.
    [thousand, more],
  ] as const) {
    expect(many.reads / few.reads).toBeLessThan(12);
    expect(many.writes / few.writes).toBeLessThan(11);
  }
  expect(thousand.reads / 1000).toBeLessThan(10);
});

test('at ten thousand hosts no key is asked more than half of what a partition gives', () => {
  const { hottestRead, hottestWrite } = loads[3]!;
  expect(hottestRead.units).toBeLessThan(PARTITION.reads / 2);
  expect(hottestWrite.units).toBeLessThan(PARTITION.writes / 2);
});

test('a queue under ten keys is asked for each little more than under one', () => {
  const waiting = ({ queue }: Load) => queue.reads;
  expect(waiting(loads[2]!)).toBeLessThan(PARTITION.reads / 4);
  // Hosts poll a key each in turn; the API and the controller ask all of them.
  expect(waiting(loads[3]!)).toBeLessThan(1.3 * waiting(loads[2]!));
});

test('a job is 12 write units and one for each step that is told', () => {
  expect(loads.map(({ job }) => job.writes)).toEqual([37, 37, 37, 37]);
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
  expect(page).toContain(loadTableOf(loads));
});
