// What the controller does each time, everywhere: locally every few seconds, on AWS every minute.

import { type ChoreDeps, finishChores } from './chores.ts';
import { type ControllerDeps, sweep } from './sweep.ts';

/** All parts are tried: a fault of one stops no other. @throws the first part's that failed */
export async function controlRound(deps: ControllerDeps & ChoreDeps): Promise<void> {
  const results = await Promise.allSettled([sweep(deps), finishChores(deps)]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
