// The priority of a job: its place among its owner's own waiting jobs, and nothing among those of others.

import { invalid } from './inputs.ts';
import { JOB_KEPT } from './limits.ts';

export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Absent is normal. @throws AppError invalid_field */
export function parsePriority(given: unknown): Priority {
  if (given === undefined || given === null) return 'normal';
  const priority = PRIORITIES.find((one) => one === given);
  if (!priority) throw invalid('priority', `must be one of ${PRIORITIES.join(', ')}`);
  return priority;
}

export function isLower(priority: Priority, than: Priority): boolean {
  return PRIORITIES.indexOf(priority) < PRIORITIES.indexOf(than);
}

/**
 * The start tag where the API asks for no keys: all jobs are one owner's, so that a priority may be a time. Beyond what jobs
 * are kept, none waits for so long.
 */
export function startTagAlone(acceptedAt: number, priority: Priority): number {
  return acceptedAt + { high: -JOB_KEPT, normal: 0, low: JOB_KEPT }[priority];
}
