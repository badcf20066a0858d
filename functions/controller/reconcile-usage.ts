// Brings owners' usage up to date in every round, from their reservations: neither the end of a job nor a crash between a
// reservation and its job needs a write of its own.

import type { Log } from '../log.ts';
import type { Jobs } from '../store/jobs.ts';
import { reconcileDay, type ReconcileDeps } from './reconcile-day.ts';
import type { UsageStore } from '../store/usage.ts';

export interface UsageDeps extends ReconcileDeps {
  jobs: Jobs;
  usage: UsageStore;
  log: Log;
}

/** A day that fails stays for the next round and does not stop the others. */
export async function reconcileUsage(deps: UsageDeps): Promise<void> {
  for (const { owner, day } of await deps.usage.listOpen())
    try {
      const count = await reconcileDay(deps, owner, day);
      if (count > 0) deps.log.debug('usage.committed', { owner, day, count });
    } catch (error) {
      deps.log.error('usage.commit_failed', error, { owner, day });
    }
}
