// A request that is held until its job has ended, from the budget that all open connections share.

import type { Context } from 'hono';
import { hasEnded, type JobState } from '../../core/job.ts';
import { sharerOf } from '../admission/own-job.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from './deps.ts';

/** As long as `GET /api/status/{id}/events` hears nothing at most. */
const LOOKS_AGAIN = 10_000;

/**
 * Resolves with the job as it stands when it has ended, when `ms` are over, when the caller is gone, or at once where too many
 * requests are held (on a Lambda none may be unless OPEN_CONNECTIONS says so); with undefined when the job was removed.
 * @param known as it was read last @param heard called with each change
 */
export async function heldUntilEnd(
  { watch, openConnections }: Pick<FacadeDeps, 'watch' | 'openConnections'>,
  c: Context<ApiEnv>,
  known: JobState,
  ms: number,
  heard?: (state: JobState) => void,
): Promise<JobState | undefined> {
  const slot = hasEnded(known)
    ? undefined
    : openConnections.take(c.req.raw.signal, sharerOf(c.get('caller')));
  if (!slot) return known;
  try {
    return await endOf({ watch }, known, slot.signal, ms, heard);
  } finally {
    slot.free();
  }
}

/** The same without a slot of its own. @param heard called with each change */
export async function endOf(
  { watch }: Pick<FacadeDeps, 'watch'>,
  known: JobState,
  signal: AbortSignal,
  ms: number,
  heard: (state: JobState) => void = () => undefined,
): Promise<JobState | undefined> {
  const until = performance.now() + ms;
  let state = known;
  while (!hasEnded(state) && !signal.aborted) {
    const left = until - performance.now();
    if (left <= 0) break;
    const next = await watch.change(state, Math.min(left, LOOKS_AGAIN), signal);
    if (!next) return undefined;
    if (next === state) continue;
    state = next;
    heard(state);
  }
  return state;
}
