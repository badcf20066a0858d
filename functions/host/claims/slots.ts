// The held jobs of one host run and the slots they take. Nothing else knows how many jobs are held.

import { createHeldJob, type HeldJob, takesSlot } from './held-job.ts';

export interface Slots {
  has(jobId: string): boolean;
  all(): HeldJob[];
  size(): number;
  /** Slots that no held job takes; 0 while uploads pile up, since a silent bucket must not collect jobs without end. */
  freeSlots(): number;
  add(jobId: string): HeldJob;
  forget(heldJob: HeldJob): void;
  /** Resolves when no job is held. */
  empty(): Promise<void>;
}

const UPLOADS_PER_SLOT = 8;

/** @param slots how many there are now */
export function createSlots(slots: () => number): Slots {
  const heldJobs = new Map<string, HeldJob>();
  let emptied: (() => void)[] = [];
  return {
    has: (jobId) => heldJobs.has(jobId),
    all: () => [...heldJobs.values()],
    size: () => heldJobs.size,
    freeSlots() {
      const taken = [...heldJobs.values()].filter(takesSlot).length;
      const most = slots();
      return heldJobs.size - taken >= most * UPLOADS_PER_SLOT ? 0 : Math.max(0, most - taken);
    },
    add(jobId) {
      const heldJob = createHeldJob(jobId);
      heldJobs.set(jobId, heldJob);
      return heldJob;
    },
    forget(heldJob) {
      heldJobs.delete(heldJob.jobId);
      if (heldJobs.size > 0) return;
      for (const resolve of emptied) resolve();
      emptied = [];
    },
    empty: () =>
      heldJobs.size === 0 ? Promise.resolve() : new Promise((resolve) => void emptied.push(resolve)),
  };
}
