// Finishes what the api has begun. Every part of a chore may be done twice.

import type { Log } from '../log.ts';
import type { Chores } from '../store/chores.ts';
import { clearQueue } from '../store/clear-queue.ts';
import type { Jobs } from '../store/jobs.ts';

export interface ChoreDeps {
  jobs: Jobs;
  chores: Chores;
  log: Log;
  now(): number;
}

/** One that fails stays for the next round, and keeps no other from being done. */
export async function finishChores({ jobs, chores, log, now }: ChoreDeps): Promise<void> {
  for (const chore of await chores.list())
    try {
      const { cleared } = await clearQueue({ jobs, now }, chore);
      log.info('chore.finished', { choreId: chore.choreId, owner: chore.owner, count: cleared });
      await chores.done(chore);
    } catch (error) {
      log.error('chore.failed', error, { choreId: chore.choreId });
    }
}
