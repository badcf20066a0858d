// A ledger: what the jobs that one process ended came to, and the webhooks that it sent, by intervals of five minutes. Pure.

import type { Tried } from './delivery.ts';
import type { FailureCode, JobState } from './job-state.ts';

const MINUTE = 60_000;
/** ms */
export const INTERVAL = 5 * MINUTE;
export const HOUR = 60 * MINUTE;

/** Upper ends of what times are counted by, seconds; one more count is of what took longer. */
export const BOUNDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600] as const;

/** What is counted of an ended job. */
export type EndedJob = Pick<JobState, 'jobId' | 'status' | 'createdAt'> &
  Partial<Pick<JobState, 'startedAt' | 'errorCode' | 'outputs' | 'gpuMs'>>;

/** Tries to deliver webhooks. */
export interface WebhookTries {
  delivered: number;
  /** The last one of a webhook that was given up, too. */
  failed: number;
  /** Webhooks, not tries. */
  gaveUp: number;
}

/** Sums over jobs that completed or failed, over webhooks, and how many jobs were cancelled. */
export interface Interval {
  completed: number;
  failed: Partial<Record<FailureCode, number>>;
  /** Files of all kinds. */
  outputs: number;
  /** Of all attempts of these jobs. */
  gpuMs: number;
  /** From acceptance to the first start, ms, and jobs by it; a job that never started has none. */
  waitMs: number;
  waits: number[];
  /** Jobs that started by the GPU time of all their attempts. */
  runs: number[];
  /** Absent, both, in what an earlier release wrote. */
  webhooks?: WebhookTries;
  cancelled?: number;
}

export interface FailedJob {
  jobId: string;
  code: FailureCode;
  at: number;
}

/** An hour of one process. Only that process writes it, and always the whole of it. */
export interface LedgerRow {
  ledgerId: string;
  hour: string;
  /** How many ends, cancelled ones too, and tries it has: of two states of a row the later has more. */
  ends: number;
  /** By the minute at which an interval begins. */
  intervals: Record<string, Interval>;
  /** The latest of each code. */
  failures: FailedJob[];
}

/** Failed jobs of a code that a row names. */
export const FAILURES_NAMED = 5;

/** `2026-11-30T01`, UTC. */
export function hourOf(at: number): string {
  return new Date(at).toISOString().slice(0, 13);
}

const minuteOf = (at: number) => String(Math.floor((at % HOUR) / INTERVAL) * 5).padStart(2, '0');

/** When an interval of a row begins, ms. */
export function beginOf({ hour }: Pick<LedgerRow, 'hour'>, minute: string): number {
  return Date.parse(`${hour}:${minute}:00Z`);
}

const zeros = () => Array.from({ length: BOUNDS.length + 1 }, () => 0);

const noTries = (): WebhookTries => ({ delivered: 0, failed: 0, gaveUp: 0 });

export function emptyInterval(): Required<Interval> {
  return {
    completed: 0,
    failed: {},
    outputs: 0,
    gpuMs: 0,
    waitMs: 0,
    waits: zeros(),
    runs: zeros(),
    webhooks: noTries(),
    cancelled: 0,
  };
}

export function emptyRow(hour: string, writer: string): LedgerRow {
  return { ledgerId: `${hour}#${writer}`, hour, ends: 0, intervals: {}, failures: [] };
}

/** Adds a job that has just completed or failed. */
export function addEnd(row: LedgerRow, job: EndedJob, at: number): LedgerRow {
  const { status, errorCode: code, createdAt, startedAt, gpuMs = 0, jobId, outputs = [] } = job;
  const before = row.intervals[minuteOf(at)] ?? emptyInterval();
  const isFailed = status === 'failed' && code !== undefined;
  const waitMs = startedAt === undefined ? undefined : Math.max(0, startedAt - createdAt);
  const interval: Interval = {
    ...before,
    completed: before.completed + (status === 'completed' ? 1 : 0),
    failed: isFailed ? { ...before.failed, [code]: (before.failed[code] ?? 0) + 1 } : before.failed,
    outputs: before.outputs + outputs.length,
    gpuMs: before.gpuMs + gpuMs,
    waitMs: before.waitMs + (waitMs ?? 0),
    waits: waitMs === undefined ? before.waits : counted(before.waits, waitMs),
    runs: waitMs === undefined ? before.runs : counted(before.runs, gpuMs),
  };
  return {
    ...counting(row, at, interval),
    failures: isFailed ? latestOf([...row.failures, { jobId, code, at }], FAILURES_NAMED) : row.failures,
  };
}

/** Adds how a try to deliver a webhook has just ended. */
export function addTry(row: LedgerRow, tried: Tried, at: number): LedgerRow {
  const before = row.intervals[minuteOf(at)] ?? emptyInterval();
  const isDelivered = 'deliveredAt' in tried;
  const webhooks = addedTries(before.webhooks, {
    delivered: isDelivered ? 1 : 0,
    failed: isDelivered ? 0 : 1,
    gaveUp: 'gaveUpAt' in tried ? 1 : 0,
  });
  return counting(row, at, { ...before, webhooks });
}

/** Adds a job that has just been cancelled. */
export function addCancelled(row: LedgerRow, at: number): LedgerRow {
  const before = row.intervals[minuteOf(at)] ?? emptyInterval();
  return counting(row, at, { ...before, cancelled: (before.cancelled ?? 0) + 1 });
}

const counting = (row: LedgerRow, at: number, interval: Interval): LedgerRow => ({
  ...row,
  ends: row.ends + 1,
  intervals: { ...row.intervals, [minuteOf(at)]: interval },
});

export function addedTries(a: WebhookTries = noTries(), b: WebhookTries = noTries()): WebhookTries {
  return { delivered: a.delivered + b.delivered, failed: a.failed + b.failed, gaveUp: a.gaveUp + b.gaveUp };
}

function counted(counts: readonly number[], ms: number): number[] {
  const found = BOUNDS.findIndex((bound) => ms <= bound * 1000);
  const index = found < 0 ? BOUNDS.length : found;
  return counts.map((count, at) => (at === index ? count + 1 : count));
}

/** The latest of each code, at most `most`, newest first. */
export function latestOf(failures: readonly FailedJob[], most: number): FailedJob[] {
  const seen = new Map<FailureCode, number>();
  return failures
    .toSorted((a, b) => b.at - a.at)
    .filter(({ code }) => {
      const before = seen.get(code) ?? 0;
      seen.set(code, before + 1);
      return before < most;
    });
}
