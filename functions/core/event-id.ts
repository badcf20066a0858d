// A job's state as a short id. States that look the same to callers have the same id on every server, so a client can
// resume an event stream at any of them.

import type { JobState } from './job-state.ts';

export const EVENT_ID =
  /^\d{1,9}-(queued|held|processing|completed|failed|cancelled)-\d{1,5}-\d{1,9}-\d{1,9}$/;

/** Attempt, phase, progress in ten thousandths, step, steps: `1-processing-2500-7-28`. */
export function eventIdOf(state: JobState): string {
  const phase = state.status === 'queued' && state.host !== undefined ? 'held' : state.status;
  const progress = Math.round(state.progress * 10_000);
  return [state.attempt, phase, progress, state.currentStep, state.totalSteps].join('-');
}

/** Has the text the form of an event id? */
export function isEventId(text: string): boolean {
  return EVENT_ID.test(text);
}
