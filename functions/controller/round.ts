// One round of the controller: locally every few seconds, on AWS every minute.

import type { Metrics } from '../metrics.ts';
import { type ChoreDeps, finishChores } from './chores.ts';
import type { Ledger } from '../store/ledgers.ts';
import { reconcileUsage, type UsageDeps } from './reconcile-usage.ts';
import type { Spreading } from './queue-spread.ts';
import { type ControllerDeps, sweep } from './sweep.ts';

export interface RoundDeps extends Omit<ControllerDeps, 'ledger'>, Omit<ChoreDeps, 'ledger'>, UsageDeps {
  ledger: Ledger;
  metrics?: Metrics;
  spreading: Spreading;
}

/** Runs all parts, whichever fails. @throws the error of the first that failed */
export async function controlRound(deps: RoundDeps): Promise<void> {
  const results = await Promise.allSettled([
    sweepAndReport(deps),
    finishChores(deps),
    reconcileUsage(deps),
    deps.spreading.round(),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function sweepAndReport(deps: RoundDeps): Promise<void> {
  const { returned, lost, expired } = await sweep(deps);
  // A metric is charged for each hour in which it is put: zeros each minute would be a fifth of an idle stack's cost.
  if (returned + expired > 0)
    deps.metrics?.put({ jobs_returned: returned, attempts_lost: lost, jobs_expired: expired });
}
