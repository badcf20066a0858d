// The last hours: waiting and running time, throughput, and failures with their jobs.

import type { FailureCode, JobState } from '../../core/job-state.ts';
import { iso } from '../../core/job-view.ts';
import {
  beginOf,
  FAILURES_NAMED,
  HOUR,
  INTERVAL,
  type Interval,
  latestOf,
  type LedgerRow,
} from '../../core/ledger.ts';
import { quantile, sumOf } from '../../core/ledger-sums.ts';
import { json } from '../http/answers.ts';
import { whole } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';
import type { Ends } from './ends.ts';

const MOST_HOURS = 24;

const hoursBack = (usual: number) =>
  whole(
    { name: 'hours', description: 'How many hours back' },
    { minimum: 1, maximum: MOST_HOURS, default: usual },
  );

export function endRoutes({ jobs, now }: AdminDeps, ends: Ends) {
  return [
    route(
      {
        route: 'GET /admin/hours',
        id: 'adminHours',
        tag: 'Operations',
        summary: 'The last hours in intervals of five minutes',
        description:
          'What completed, failed and was cancelled, how long it had waited and run, and webhooks. A host says it every 15 s, what sends webhooks after each round, the API with each cancel: what it had not said when it died is missing.',
        scope: 'admin',
        parameters: { hours: hoursBack(3) },
        answers: { 200: json('All intervals, empty ones too', 'Hours') },
        errors: ['invalid_field'],
      },
      async (_, { hours }) => {
        const until = now();
        const since = Math.floor((until - hours * HOUR) / INTERVAL) * INTERVAL;
        const byBegin = new Map<number, Interval[]>();
        for (const { begin, interval } of intervalsOf(await ends.rows(since)))
          byBegin.set(begin, [...(byBegin.get(begin) ?? []), interval]);
        const count = Math.floor((until - since) / INTERVAL) + 1;
        return {
          interval_seconds: 300,
          intervals: Array.from({ length: count }, (_one, index) => {
            const begin = since + index * INTERVAL;
            return intervalView(begin, sumOf(byBegin.get(begin) ?? []));
          }),
        };
      },
    ),

    route(
      {
        route: 'GET /admin/failures',
        id: 'adminFailures',
        tag: 'Operations',
        summary: 'Failures by code, with the latest jobs',
        scope: 'admin',
        parameters: { hours: hoursBack(MOST_HOURS) },
        answers: { 200: json('Most frequent first', 'Failures') },
        errors: ['invalid_field'],
      },
      async (_, { hours }) => {
        const since = now() - hours * HOUR;
        const rows = await ends.rows(since);
        const within = intervalsOf(rows).filter(({ begin }) => begin > since - INTERVAL);
        const { failed } = sumOf(within.map(({ interval }) => interval));
        const named = latestOf(
          rows.flatMap(({ failures }) => failures).filter(({ at }) => at > since - INTERVAL),
          FAILURES_NAMED,
        );
        // A few of each code: one batch at most.
        const states = await jobs.readStates(
          named.map(({ jobId }) => jobId),
          { consistent: false },
        );
        const byId = new Map(states.map((state) => [state.jobId, state]));
        const counts = (Object.entries(failed) as [FailureCode, number][]).toSorted(([, a], [, b]) => b - a);
        return {
          codes: counts.map(([code, count]) => ({
            code,
            count,
            jobs: named
              .filter((one) => one.code === code)
              .flatMap(({ jobId }) => byId.get(jobId) ?? [])
              .map(failedView),
          })),
        };
      },
    ),
  ];
}

export function intervalsOf(rows: readonly LedgerRow[]): { begin: number; interval: Interval }[] {
  return rows.flatMap((row) =>
    Object.entries(row.intervals).map(([minute, interval]) => ({ begin: beginOf(row, minute), interval })),
  );
}

function failedOf({ failed }: Interval): number {
  return Object.values(failed).reduce((so, count) => so + count, 0);
}

function intervalView(begin: number, interval: Required<Interval>) {
  const spread = (counts: readonly number[]) => ({ p50: quantile(counts, 0.5), p95: quantile(counts, 0.95) });
  return {
    at: iso(begin),
    completed: interval.completed,
    failed: failedOf(interval),
    cancelled: interval.cancelled,
    outputs: interval.outputs,
    gpu_seconds: interval.gpuMs / 1000,
    wait_seconds: spread(interval.waits),
    run_seconds: spread(interval.runs),
    webhooks: {
      delivered: interval.webhooks.delivered,
      failed_tries: interval.webhooks.failed,
      given_up: interval.webhooks.gaveUp,
    },
  };
}

function failedView({ jobId, owner, endedAt, createdAt, error }: JobState) {
  return { job_id: jobId, owner, ended_at: iso(endedAt ?? createdAt), error: error ?? null };
}
