// Durations: a row for each check, and for each job the parts that the API reports. Pure.

import type { Status } from '../api.ts';
import { inColumns } from '../write.ts';
import type { Timed } from './run.ts';

/** @param jobs by the name of the check */
export function tableOf(timed: Timed[], jobs: ReadonlyMap<string, Status>, all: number): string[] {
  const rows = timed
    .filter(({ finding }) => finding.kind !== 'not checked')
    .map(({ name, seconds }) => [name, fixed(seconds), ...partsOf(jobs.get(name))]);
  return inColumns([['', 'seconds', 'waited', 'ran', 'GPU', 'dollars'], ...rows, ['all', fixed(all)]], true);
}

function partsOf(job: Status | undefined): string[] {
  if (!job) return [];
  const started = job.started_at ?? job.completed_at;
  return [
    between(job.created_at, started),
    between(started, job.completed_at),
    job.gpu_seconds === null ? '' : fixed(job.gpu_seconds),
    job.cost_usd === null ? '' : job.cost_usd.toFixed(4),
  ];
}

function between(from: string | null, to: string | null): string {
  return from === null || to === null ? '' : fixed((Date.parse(to) - Date.parse(from)) / 1000);
}

function fixed(seconds: number): string {
  return seconds.toFixed(seconds < 10 ? 2 : 1);
}
