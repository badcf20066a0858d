// Reads that their clients repeat at once, without a pause of their own: `status-sync` and `stream` of runpod-sdk.

import type { Context } from 'hono';
import { hasEnded, type JobState } from '../../core/job.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { endOf, heldUntilEnd } from '../facade/held.ts';

/** ms. */
const PACE = 1000;

/** As `heldUntilEnd`, but where nothing may be held the answer still takes a second, or until the job has ended. */
export async function pacedUntilEnd(
  deps: Pick<FacadeDeps, 'watch' | 'openConnections'>,
  c: Context<ApiEnv>,
  known: JobState,
  ms: number,
): Promise<JobState | undefined> {
  const since = performance.now();
  const state = await heldUntilEnd(deps, c, known, ms);
  const left = Math.min(ms, PACE) - (performance.now() - since);
  return !state || hasEnded(state) || left <= 0 ? state : endOf(deps, state, c.req.raw.signal, left);
}
