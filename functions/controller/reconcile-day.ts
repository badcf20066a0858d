// Reconciles a day of an owner: reads the jobs of its reservations and commits those that have ended to the totals.

import { type Reservation, committedTotals, type Totals } from '../core/quota.ts';
import type { Jobs } from '../store/jobs.ts';
import { COMMITTED_TOGETHER, type UsageStore } from '../store/usage.ts';

export interface ReconcileDeps {
  jobs: Pick<Jobs, 'readStates' | 'readState'>;
  usage: Pick<UsageStore, 'read' | 'commit'>;
  now(): number;
}

/** @param day `2026-11-23`. @returns the number of committed reservations */
export async function reconcileDay(deps: ReconcileDeps, owner: string, day: string): Promise<number> {
  const read = await deps.usage.read(owner, day);
  if (read.reservations.length === 0) await deps.usage.commit(read, [], true);
  let left = read.reservations.length;
  let gone = 0;
  for (let batch = await ended(deps, day, read.reservations); batch.length > 0;) {
    const together = batch.splice(0, COMMITTED_TOGETHER);
    // The last commit removes the day from the index of open days, unless it has new reservations by then.
    const last = together.length === left;
    // Refused: another process commits the same day, or this write had been made. The next round reads again.
    if (!(await deps.usage.commit(read, together, last))) return gone;
    left -= together.length;
    gone += together.length;
  }
  return gone;
}

async function ended(
  { jobs, now }: ReconcileDeps,
  day: string,
  reservations: readonly Reservation[],
): Promise<{ reservation: Reservation; totals: Totals }[]> {
  // An ended job does not change: a stale read that shows its end is right.
  const states = await jobs.readStates(
    reservations.map(({ jobId }) => jobId),
    { consistent: false },
  );
  const byId = new Map(states.map((state) => [state.jobId, state]));
  const found: { reservation: Reservation; totals: Totals }[] = [];
  for (const reservation of reservations) {
    const stale = byId.get(reservation.jobId);
    const about = committedTotals(reservation, day, stale, now());
    // The absence of a job must be read strongly.
    const totals =
      about && !stale
        ? committedTotals(reservation, day, await jobs.readState(reservation.jobId), now())
        : about;
    if (totals) found.push({ reservation, totals });
  }
  return found;
}
