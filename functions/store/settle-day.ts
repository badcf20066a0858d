// Settles a day of an owner: reads the jobs behind its marks and folds those that have ended into the totals.

import { type Mark, settled, type Totals } from '../core/quota.ts';
import type { Jobs } from './jobs.ts';
import { FOLDED_TOGETHER, type UsageStore } from './usage.ts';

export interface Settling {
  jobs: Pick<Jobs, 'readStates' | 'readState'>;
  usage: Pick<UsageStore, 'read' | 'fold'>;
  now(): number;
}

/** @returns how many marks went */
export async function settleDay(deps: Settling, owner: string, day: string): Promise<number> {
  const read = await deps.usage.read(owner, day);
  if (read.marks.length === 0) await deps.usage.fold(read, [], true);
  let left = read.marks.length;
  let gone = 0;
  for (let batch = await ended(deps, day, read.marks); batch.length > 0;) {
    const together = batch.splice(0, FOLDED_TOGETHER);
    // The last mark takes the day out of the index; of a day that was marked anew meanwhile it takes nothing.
    const last = together.length === left;
    // Refused: another settles the same day, or an own write had been made. The next round reads anew.
    if (!(await deps.usage.fold(read, together, last))) return gone;
    left -= together.length;
    gone += together.length;
  }
  return gone;
}

async function ended(
  { jobs, now }: Settling,
  day: string,
  marks: readonly Mark[],
): Promise<{ mark: Mark; totals: Totals }[]> {
  // Nothing that has ended changes: a stale read is right wherever it says so.
  const states = await jobs.readStates(
    marks.map(({ jobId }) => jobId),
    { consistent: false },
  );
  const byId = new Map(states.map((state) => [state.jobId, state]));
  const found: { mark: Mark; totals: Totals }[] = [];
  for (const mark of marks) {
    const stale = byId.get(mark.jobId);
    const about = settled(mark, day, stale, now());
    // That there is no job must be read strongly.
    const totals = about && !stale ? settled(mark, day, await jobs.readState(mark.jobId), now()) : about;
    if (totals) found.push({ mark, totals });
  }
  return found;
}
