// The product in a hurry: its timings, so short that a run takes seconds. The proportions stay: a heartbeat is much
// shorter than the dead-host limit, an answer's time limit shorter too.

import type { Timings } from '../../functions/core/timings.ts';

/** Milliseconds. What the checks compare with. */
export const SCALED = {
  heartbeat: 300,
  deadAfter: 3000,
  deadline: 3500,
  sweepEvery: 500,
  /** So far ahead or behind may a process's view of the tables' clock be: the Date header has whole seconds. */
  clockError: 2100,
} as const;

/** Every process is started with these. */
export const SCALED_TIMINGS: Partial<Timings> = {
  heartbeatEvery: SCALED.heartbeat,
  hostDeadAfter: SCALED.deadAfter,
  hostPollsEvery: 150,
  hostPausesFor: 40,
  hostPausesAtMost: 600,
  comfyuiAnswersWithin: 1200,
  comfyuiReconnectsWithin: 600,
  inventoryEvery: 3000,
  jobDeadline: SCALED.deadline,
  // Long enough that a job that is held by nobody is not taken for one that ran too long.
  jobLimit: 600_000,
  progressEvery: 200,
  offerTimeout: 400,
  spreadReadEvery: 500,
  spreadKnownAfter: 2000,
  tableAnswersWithin: 700,
  bucketIdleAfter: 2000,
};
