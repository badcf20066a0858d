// The records of one host run and the slots they take. Nothing else knows how many jobs are held.

import { createRecord, type JobRecord, takesSlot } from './record.ts';

export interface Board {
  has(jobId: string): boolean;
  all(): JobRecord[];
  size(): number;
  /** Slots that no record takes; 0 while uploads pile up, since a bucket that is silent must not be fed without end. */
  freeSlots(): number;
  add(jobId: string): JobRecord;
  forget(record: JobRecord): void;
  /** Resolves when there is no record. */
  empty(): Promise<void>;
}

const UPLOADS_PER_SLOT = 8;

export function createBoard(slots: number): Board {
  const records = new Map<string, JobRecord>();
  let emptied: (() => void)[] = [];
  return {
    has: (jobId) => records.has(jobId),
    all: () => [...records.values()],
    size: () => records.size,
    freeSlots() {
      const taken = [...records.values()].filter(takesSlot).length;
      return records.size - taken >= slots * UPLOADS_PER_SLOT ? 0 : Math.max(0, slots - taken);
    },
    add(jobId) {
      const record = createRecord(jobId);
      records.set(jobId, record);
      return record;
    },
    forget(record) {
      records.delete(record.jobId);
      if (records.size > 0) return;
      for (const resolve of emptied) resolve();
      emptied = [];
    },
    empty: () =>
      records.size === 0 ? Promise.resolve() : new Promise((resolve) => void emptied.push(resolve)),
  };
}
