// Who cancels a job counts it: the API, and the controller where it finishes the clearing of a queue.

import type { Change } from '../core/job.ts';
import type { Log } from '../log.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Ledger } from '../store/ledgers.ts';

/**
 * The same jobs. A cancel that this process made is in its ledger before it is answered, since a function may be frozen right
 * after; cancels of the same moment share a put. At most once: a process that dies between the two writes, or whose first
 * answer got lost, leaves a cancelled job uncounted.
 */
export function countingCancelled<Some extends Pick<Jobs, 'write'>>(
  jobs: Some,
  ledger: Pick<Ledger, 'cancelled' | 'write'>,
  log: Log,
): Some {
  let next: Promise<void> | undefined;
  let underway: Promise<void> = Promise.resolve();

  /** Resolves when what is counted by now is put. Never rejects: a cancel holds whether it was counted or not. */
  function put(): Promise<void> {
    next ??= underway.then(async () => {
      next = undefined;
      underway = ledger
        .write()
        .catch((error: unknown) => log.error('round.failed', error, { round: 'ledger' }));
      await underway;
    });
    return next;
  }

  return {
    ...jobs,
    async write(jobId: string, change: Change) {
      const written = await jobs.write(jobId, change);
      if (written && change.set.status === 'cancelled') {
        ledger.cancelled();
        await put();
      }
      return written;
    },
  };
}
