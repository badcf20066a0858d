// The queue as one API process sees it: how many wait, and who is at its head. Read at most once a second, the count
// less often when it is large; what this process itself accepts in between is added.

import { MAX_QUEUE_POSITION } from '../core/limits.ts';
import type { JobState } from '../core/job.ts';
import type { Jobs } from '../store/jobs.ts';

export interface Queue {
  /** Jobs that have not ended: waiting, and held by a host. @param owner only this one's, read at each call */
  count(owner?: string): Promise<{ waiting: number; held: number }>;
  /** From 1; null past 100 or when not waiting. */
  position(state: JobState): Promise<number | null>;
  /** To be told of every job that this process accepted. */
  accepted(state: JobState): void;
}

const FRESH = 1000;
/** Counting may take a twentieth of the time, no more. */
const SHARE = 20;
/** A large count may be so many periods old before an answer waits for a new one; a quick one is waited for. */
const STALE = 10;

export function createQueue(jobs: Jobs, now: () => number): Queue {
  let counted: { waiting: number; held: number } | undefined;
  let countedAt = -Infinity;
  let countPeriod = FRESH;
  let counting: Promise<void> | undefined;
  let acceptedSince = 0;

  let head: { jobId: string; workOrder: string }[] = [];
  let headAt = -Infinity;
  let reading: Promise<void> | undefined;

  function recount(): Promise<void> {
    counting ??= (async () => {
      const start = now();
      const before = acceptedSince;
      try {
        const [waiting, held] = await Promise.all([jobs.countWork('waiting'), jobs.countWork('held')]);
        counted = { waiting, held };
        acceptedSince -= before;
      } finally {
        countedAt = now();
        countPeriod = Math.max(FRESH, (countedAt - start) * SHARE);
        counting = undefined;
      }
    })();
    return counting;
  }

  function reread(): Promise<void> {
    reading ??= (async () => {
      try {
        head = await jobs.listWork('waiting', MAX_QUEUE_POSITION);
      } finally {
        headAt = now();
        reading = undefined;
      }
    })();
    return reading;
  }

  return {
    async count(owner) {
      if (owner !== undefined) {
        const [waiting, held] = await Promise.all([
          jobs.countWork('waiting', owner),
          jobs.countWork('held', owner),
        ]);
        return { waiting, held };
      }
      const age = now() - countedAt;
      const limit = countPeriod > FRESH ? countPeriod * STALE : FRESH;
      if (!counted || age >= limit) await recount();
      // In the background: a large count takes longer than a request should. A failed one is tried again.
      else if (age >= countPeriod) recount().catch(() => undefined);
      return { waiting: counted!.waiting + acceptedSince, held: counted!.held };
    },

    async position(state) {
      if (state.work !== 'waiting') return null;
      if (now() - headAt >= FRESH) await reread();
      const index = head.findIndex(({ jobId }) => jobId === state.jobId);
      if (index >= 0) return index + 1;
      // Accepted elsewhere since the head was read.
      return head.length < MAX_QUEUE_POSITION ? head.length + 1 : null;
    },

    accepted(state) {
      acceptedSince += 1;
      // Its turn may come before that of others.
      const { jobId, workOrder } = state;
      const before = head.filter((one) => one.workOrder < workOrder).length;
      if (before < MAX_QUEUE_POSITION)
        head = head.toSpliced(before, 0, { jobId, workOrder }).slice(0, MAX_QUEUE_POSITION);
    },
  };
}
