// A fleet's load on DynamoDB as rows of a table. Pure.

import type { Units } from './costs.ts';
import type { Hot, Load } from './load.ts';
import { grouped } from './table.ts';

/** Units per second of one partition, DynamoDB's limits. Source: "Best practices for designing and using partition keys
 * effectively" in DynamoDB's developer guide. */
export const PARTITION = { reads: 3000, writes: 1000 };

export function loadTableOf(loads: readonly Load[]): string {
  const rows = loads.map(
    ({ hosts, reads, writes, hottestRead, hottestWrite }) =>
      `| ${rounded(hosts)} | ${rounded(reads)} | ${rounded(writes)} | ${hotOf(hottestRead, PARTITION.reads)} | ${hotOf(hottestWrite, PARTITION.writes)} |`,
  );
  return [
    '| hosts | reads / s | writes / s | hottest key, reads / s | hottest key, writes / s |',
    '|---:|---:|---:|---|---|',
    ...rows,
  ].join('\n');
}

function hotOf({ key, units }: Hot, limit: number): string {
  return `${rounded(units)} of ${rounded(limit)} (${key})`;
}

const rounded = (value: number) =>
  value < 100 ? value.toFixed(1).replace(/\.0$/, '') : grouped(Math.round(value));

export const ASSUMED =
  'Every host runs one job, polls for another each second and reports 25 steps; as many jobs wait as there are hosts; a caller reads the status of each job every 2 s. `jobs.byWork waiting` is one of its shards, of which there is one for 1,000 hosts. A deployment has 1,000 hosts at most: 10,000 shows what comes after.';

/** A job's share of the fleet's load. */
export function ofAJob({ hosts, reads, writes }: Load, secondsPerJob: number): Units {
  const each = secondsPerJob / hosts;
  return { reads: reads * each, writes: writes * each };
}
