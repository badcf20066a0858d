// Settles a day of an owner: reads the jobs behind its marks and folds those that have ended into the totals.

import { type Reservation, committedTotals, type Totals } from '../core/quota.ts';
import type { Jobs } from '../store/jobs.ts';
import { COMMITTED_TOGETHER, type UsageStore } from '../store/usage.ts';

export interface Settling {
  jobs: Pick<Jobs, 'readStates' | 'readState'>;
  usage: Pick<UsageStore, 'read' | 'commit'>;
  now(): number;
}

/** @returns how many marks went */
export async function reconcileDay(deps: Settling, owner: string, day: string): Promise<number> {
  const read = await deps.usage.read(owner, day);
  if (read.reservations.length === 0) await deps.usage.commit(read, [], true);
  let left = read.reservations.length;
  let gone = 0;
  for (let batch = await ended(deps, day, read.reservations); batch.length > 0;) {
    const together = batch.splice(0, COMMITTED_TOGETHER);
    // The last mark takes the day out of the index; of a day that was marked anew meanwhile it takes nothing.
    const last = together.length === left;
    // Refused: another settles the same day, or an own write had been made. The next round reads anew.
    if (!(await deps.usage.commit(read, together, last))) return gone;
    left -= together.length;
    gone += together.length;
  }
  return gone;
}

async function ended(
  { jobs, now }: Settling,
  day: string,
  reservations: readonly Reservation[],
): Promise<{ reservation: Reservation; totals: Totals }[]> {
  // Nothing that has ended changes: a stale read is right wherever it says so.
  const states = await jobs.readStates(
    reservations.map(({ jobId }) => jobId),
    { consistent: false },
  );
  const byId = new Map(states.map((state) => [state.jobId, state]));
  const found: { reservation: Reservation; totals: Totals }[] = [];
  for (const reservation of reservations) {
    const stale = byId.get(reservation.jobId);
    const about = committedTotals(reservation, day, stale, now());
    // That there is no job must be read strongly.
    const totals =
      about && !stale
        ? committedTotals(reservation, day, await jobs.readState(reservation.jobId), now())
        : about;
    if (totals) found.push({ reservation, totals });
  }
  return found;
}
