// Every transition of a job. Each verb returns a Change: the conditions under which it may be written and what it
// writes. `apply` runs a Change on a value; store/jobs.ts compiles the same Change into one conditional write.
// Source: docs/architecture.md, "States". Pure: no I/O, no clock.

import { imagesOf, type JobOutput } from './job-output.ts';
import { ENDED, type Failure, type JobState, LIVE } from './job-state.ts';
import { listOrder, withStartTag } from './names.ts';
import { JOB_EXPIRES_AFTER, LONGEST_RETRY, MAX_LOST_ATTEMPTS, MAX_STRIKES, RETRIED_AFTER } from './limits.ts';

export * from './job-output.ts';
export * from './job-state.ts';

export type Condition =
  | { field: keyof JobState; is: string | number }
  | { field: keyof JobState; oneOf: readonly string[] }
  | { field: keyof JobState; absent: true }
  | { field: keyof JobState; below: number };

export interface Change {
  verb: string;
  when: Condition[];
  set: Partial<JobState>;
  remove: (keyof JobState)[];
}

/**
 * The claim that a host holds: `attempt` and `host` as its own write left them. A `job` passed beside a fence must be as
 * that host's last write left it: its first start and its lost attempts are written again from it.
 */
export interface Fence {
  attempt: number;
  host: string;
}

const is = (field: keyof JobState, value: string | number): Condition => ({ field, is: value });
const absent = (field: keyof JobState): Condition => ({ field, absent: true });
const waiting: Condition[] = [is('status', 'queued'), absent('host')];
const live: Condition = { field: 'status', oneOf: LIVE };
const fenced = (fence: Fence): Condition[] => [is('attempt', fence.attempt), is('host', fence.host)];

/** The job after `change`; undefined where a condition of it does not hold. */
export function apply(job: JobState, change: Change): JobState | undefined {
  if (!change.when.every((condition) => holds(job, condition))) return undefined;
  const next: JobState = { ...job, ...change.set };
  for (const field of change.remove) delete next[field];
  return next;
}

function holds(job: JobState, condition: Condition): boolean {
  const value = job[condition.field];
  if ('is' in condition) return value === condition.is;
  if ('oneOf' in condition) return condition.oneOf.includes(value as string);
  if ('absent' in condition) return value === undefined;
  return typeof value === 'number' && value < condition.below;
}

/** Does this claim still hold the job? False once the job was released, moved on or ended. */
export function isHeldBy(job: JobState, fence: Fence): boolean {
  return job.attempt === fence.attempt && job.host === fence.host;
}

/** queued → held. */
export function claim(job: JobState, host: string, now: number, simulated: boolean): Change {
  return {
    verb: 'claim',
    when: [is('status', 'queued'), absent('host'), is('attempt', job.attempt)],
    set: { attempt: job.attempt + 1, host, claimedBy: host, work: 'held', claimedAt: now, simulated },
    remove: ['retryAt'],
  };
}

/** waiting → the same, at another of its owner's turns. @param row where it was listed */
export function exchange(
  row: Pick<JobState, 'workOrder'>,
  startTag: number,
): Change & { set: Pick<JobState, 'workOrder'> } {
  return {
    verb: 'exchange',
    when: [...waiting, is('workOrder', row.workOrder)],
    set: { workOrder: withStartTag(row.workOrder, startTag) },
    remove: [],
  };
}

/** held, processing → the same, held by the machine's next host. */
export function adopt(job: JobState, host: string): Change {
  return {
    verb: 'adopt',
    when: [live, is('attempt', job.attempt), is('host', job.host ?? '')],
    set: { host, claimedBy: host },
    remove: [],
  };
}

/** held → processing. */
export function start(job: JobState, fence: Fence, now: number): Change {
  return {
    verb: 'start',
    when: [...fenced(fence), is('status', 'queued')],
    set: { status: 'processing', startedAt: job.startedAt ?? now, progressAt: now },
    remove: ['setbacks'],
  };
}

export interface Progress {
  progress: number;
  currentStep: number;
  totalSteps: number;
  /** The one that runs. */
  node?: string | undefined;
}

/** processing → processing, with more progress. */
export function advance(fence: Fence, progress: Progress, now: number): Change {
  return {
    verb: 'advance',
    when: [...fenced(fence), is('status', 'processing'), { field: 'progress', below: progress.progress }],
    set: { ...progress, progressAt: now },
    remove: [],
  };
}

/** processing → processing, without progress but alive, as while a slow bucket takes the images. */
export function touch(fence: Fence, now: number): Change {
  return {
    verb: 'touch',
    // A repeated write must not count as a second sign of life.
    when: [...fenced(fence), is('status', 'processing'), { field: 'progressAt', below: now }],
    set: { progressAt: now },
    remove: [],
  };
}

/** processing → processing: someone looks at its previews. Its host sees it at the watchdog's next look. @param until ms */
export function watchPreviews(until: number): Change {
  return {
    verb: 'watchPreviews',
    when: [is('status', 'processing')],
    set: { previewsUntil: until },
    remove: [],
  };
}

/** What an end copies into the index behind lists; it never changes. */
type Placed = Pick<JobState, 'ownerOrder'>;

/** A job's totals over its attempts, written when one ends. */
export type Spent = Pick<JobState, 'gpuMs' | 'costMicroUsd'>;
/** Sentences about outputs. */
export type Noted = Pick<JobState, 'notes'>;

/** Adds an attempt to the totals. @param gpuMs of this attempt; @param usdPerHour of the machine, where known */
export function spend(job: JobState, gpuMs: number, usdPerHour: number | undefined): Spent {
  const total = { gpuMs: (job.gpuMs ?? 0) + Math.max(0, Math.round(gpuMs)) };
  if (usdPerHour === undefined) return total;
  const cost = (Math.max(0, gpuMs) / 3_600_000) * usdPerHour * 1_000_000;
  return { ...total, costMicroUsd: (job.costMicroUsd ?? 0) + Math.round(cost) };
}

/** held, processing → completed. Every output must be in the bucket before. */
export function complete(
  job: JobState,
  fence: Fence,
  outputs: JobOutput[],
  steps: Pick<Progress, 'currentStep' | 'totalSteps'>,
  now: number,
  spent: Spent & Noted = {},
): Change {
  return {
    verb: 'complete',
    when: fenced(fence),
    set: {
      status: 'completed',
      startedAt: job.startedAt ?? now,
      endedAt: now,
      progress: 1,
      ...steps,
      outputs,
      listOrder: listOrder('completed', job.ownerOrder, imagesOf({ outputs }).length),
      ...spent,
    },
    remove: ['host', 'work', 'progressAt', 'node'],
  };
}

/** held, processing → failed, for a reason that another run would meet again. */
export function fail(job: Placed, fence: Fence, failure: Failure, now: number, spent: Spent = {}): Change {
  const { set, remove } = failed(job, failure, now);
  return { verb: 'fail', when: fenced(fence), set: { ...set, ...spent }, remove };
}

/**
 * May a waiting job be claimed? After a spaced release it waits until `retryAt`, and others go first. A `retryAt` further
 * away than LONGEST_RETRY was written by a wrong clock and is ignored. @param now ms
 */
export function isDue({ retryAt }: Pick<JobState, 'retryAt'>, now: number): boolean {
  return retryAt === undefined || retryAt <= now || retryAt - now > LONGEST_RETRY;
}

/** How an attempt is released. */
export interface Release {
  /** Its ComfyUI did not run it: the next claim waits. */
  spaced?: boolean;
  /** It counts as a strike. */
  charged?: boolean;
}

/** held → waiting, unstarted, at its original place. The prompt must be gone from ComfyUI before. */
export function release(job: JobState, fence: Fence, now: number, how: Release = {}): Change {
  const change = requeued(
    { ...job, status: 'queued' },
    now,
    'the GPU host released it before it started',
    how.charged ?? false,
  );
  return {
    verb: 'release',
    when: [...fenced(fence), is('status', 'queued')],
    ...(how.spaced ? spaced(job, change, now) : change),
  };
}

/** processing → queued or failed, by the host itself. `reason` completes "…: <reason>". */
export function lose(job: JobState, fence: Fence, reason: string, now: number, spent: Spent = {}): Change {
  const change = requeued({ ...job, status: 'processing' }, now, reason, true);
  const { set, remove } = spaced({ ...job, setbacks: 0 }, change, now);
  return {
    verb: 'lose',
    when: [...fenced(fence), is('status', 'processing')],
    set: { ...set, ...spent },
    remove,
  };
}

/** held, processing → queued or failed, by the controller. Written only if the job is exactly as it was read. */
export function sweep(job: JobState, reason: string, now: number): Change {
  return {
    verb: 'sweep',
    when: [is('attempt', job.attempt), is('host', job.host ?? ''), is('status', job.status)],
    ...requeued(job, now, reason, true),
  };
}

/** Like sweep, for a job without progress; any sign of life since it was read prevents the write. */
export function reclaimStalled(job: JobState, reason: string, now: number): Change {
  const change = sweep(job, reason, now);
  return {
    ...change,
    verb: 'reclaimStalled',
    when: [...change.when, is('progressAt', job.progressAt ?? 0)],
  };
}

/** queued, held, processing → cancelled. @param owner whose job it must be; absent: any owner's */
export function cancel(now: number, owner?: string): Change {
  return {
    verb: 'cancel',
    when: [live, ...(owner === undefined ? [] : [is('owner', owner)])],
    set: { status: 'cancelled', endedAt: now },
    remove: ['host', 'work', 'progressAt'],
  };
}

/**
 * cancelled → the same, with the GPU time that its last attempt took until it was interrupted: it is charged like any.
 * The attempt's host writes it, once: `job` is the state from before, and the stored total must still equal its total.
 */
export function account(job: JobState, fence: Fence, spent: Spent): Change {
  return {
    verb: 'account',
    when: [
      is('status', 'cancelled'),
      is('attempt', fence.attempt),
      job.gpuMs === undefined ? absent('gpuMs') : is('gpuMs', job.gpuMs),
    ],
    set: { ...spent },
    remove: [],
  };
}

/** waiting, held → cancelled: clearing the queue does not stop what runs. */
export function clear(now: number): Change {
  return { ...cancel(now), verb: 'clear', when: [is('status', 'queued')] };
}

/** queued and not held → failed, after a day. */
export function expire(job: Placed, now: number): Change {
  return {
    verb: 'expire',
    when: [...waiting, { field: 'createdAt', below: now - JOB_EXPIRES_AFTER }],
    ...failed(job, { code: 'expired', message: 'No GPU host could make the job within 24 hours' }, now),
  };
}

/** Written when the outbox has a delivery for the ended job. */
export function clearWebhook(): Change {
  return {
    verb: 'clearWebhook',
    when: [is('webhook', 'pending'), { field: 'status', oneOf: ENDED }],
    set: {},
    remove: ['webhook'],
  };
}

function failed(job: Placed, failure: Failure, now: number): Pick<Change, 'set' | 'remove'> {
  return {
    set: {
      status: 'failed',
      endedAt: now,
      error: failure.message,
      errorCode: failure.code,
      listOrder: listOrder('failed', job.ownerOrder),
    },
    remove: ['host', 'work', 'progressAt', 'node'],
  };
}

/** Back to the queue, or failed at the limit. A started attempt counts as lost, an unstarted one does not. */
function requeued(
  job: JobState,
  now: number,
  reason: string,
  charged: boolean,
): Pick<Change, 'set' | 'remove'> {
  const counters = {
    lostAttempts: job.lostAttempts + (job.status === 'processing' ? 1 : 0),
    ...(charged && { strikes: (job.strikes ?? 0) + 1 }),
  };
  const last = exhausted({ ...job, ...counters }, reason);
  if (last) {
    const change = failed(job, last, now);
    return { ...change, set: { ...change.set, ...counters } };
  }
  return {
    set: {
      status: 'queued',
      work: 'waiting',
      ...counters,
      progress: 0,
      currentStep: 0,
    },
    remove: ['host', 'progressAt', 'node'],
  };
}

/** The same change with a `retryAt`, where the job goes back to the queue. */
function spaced(
  { setbacks = 0 }: JobState,
  { set, remove }: Pick<Change, 'set' | 'remove'>,
  now: number,
): Pick<Change, 'set' | 'remove'> {
  if (set.status !== 'queued') return { set, remove };
  const wait = Math.min(RETRIED_AFTER * 2 ** setbacks, LONGEST_RETRY);
  return { set: { ...set, setbacks: setbacks + 1, retryAt: now + wait }, remove };
}

function exhausted(job: JobState, reason: string): Failure | undefined {
  if (job.lostAttempts >= MAX_LOST_ATTEMPTS)
    return {
      code: 'lost_too_often',
      message: `The job was lost ${job.lostAttempts} times; last reason: ${reason}`,
    };
  const strikes = job.strikes ?? 0;
  if (strikes >= MAX_STRIKES)
    return {
      code: 'too_many_attempts',
      message: `The job was claimed ${strikes} times without a result; last reason: ${reason}`,
    };
  return undefined;
}
