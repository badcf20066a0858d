// Finishes the chores that the api began. Every part of a chore may be done twice.

import type { Log } from '../log.ts';
import { clearQueue } from '../queue/clear.ts';
import { countingCancelled } from '../queue/count-cancelled.ts';
import type { Chores } from '../store/chores.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Ledger } from '../store/ledgers.ts';

export interface ChoreDeps {
  jobs: Jobs;
  chores: Chores;
  ledger: Pick<Ledger, 'cancelled' | 'write'>;
  log: Log;
  now(): number;
}

/** A chore that fails stays for the next round and does not stop the others. @throws where the list cannot be read */
export async function finishChores({ jobs, chores, ledger, log, now }: ChoreDeps): Promise<void> {
  const counting = countingCancelled(jobs, ledger, log);
  for (const chore of await chores.list())
    try {
      const { cleared } = await clearQueue({ jobs: counting, now }, chore);
      log.info('chore.finished', { choreId: chore.choreId, owner: chore.owner, count: cleared });
      await chores.done(chore);
    } catch (error) {
      log.error('chore.failed', error, { choreId: chore.choreId });
    }
}
