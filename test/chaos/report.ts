// What many seeds come to, as a table for a README.

import { SCALE, type SeedResult } from './run.ts';

export function tableOf(results: readonly SeedResult[]): string {
  const sum = (of: (result: SeedResult) => number) => results.reduce((all, one) => all + of(one), 0);
  const faults: Record<string, number> = {};
  for (const result of results)
    for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
  const injected = Object.values(faults).reduce((all, count) => all + count, 0);
  const worst = Math.max(0, ...results.map(({ worstRecoveryMs }) => worstRecoveryMs));
  const seconds = sum((result) => result.seconds);
  const starved = sum(({ starvedMs }) => starvedMs) / 1000;
  const rows: [string, string | number][] = [
    ['seeds', results.length],
    ['faults injected', injected],
    ['jobs', sum(({ jobs }) => jobs)],
    ['… completed', sum(({ completed }) => completed)],
    ['… failed', sum(({ failed }) => failed)],
    ['… cancelled', sum(({ cancelled }) => cancelled)],
    ['lost', sum(({ lost }) => lost)],
    ['doubled', sum(({ doubled }) => doubled)],
    ['started attempts lost', sum(({ attemptsLost }) => attemptsLost)],
    ['jobs adopted', sum(({ adopted }) => adopted)],
    ['worst recovery', `${(worst / 1000).toFixed(1)} s with the clocks ${SCALE} times faster`],
    ['time in which limits were not judged', `${Math.round((100 * starved) / Math.max(1, seconds))} %`],
    ['violations', sum(({ violations }) => violations.length)],
  ];
  const lines = rows.map(([name, value]) => `| ${name} | ${value} |`);
  const kinds = Object.entries(faults)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`);
  return ['| | |', '|---|---|', ...lines, '', `Faults: ${kinds.join(', ')}.`].join('\n');
}
