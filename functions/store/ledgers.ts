// The ledgers table: what ended jobs and sent webhooks came to, an item for each hour of each process. A process counts an end
// once, after its write is confirmed, and puts its whole row: a put that is repeated changes nothing, one that is late and has
// fewer ends is refused, and no two processes write the same item. What a process counted and had not put is lost with it.

import type { Tried } from '../core/delivery.ts';
import { hasEnded } from '../core/job-state.ts';
import {
  addCancelled,
  addEnd,
  addTry,
  emptyRow,
  type EndedJob,
  hourOf,
  type LedgerRow,
} from '../core/ledger.ts';
import { absent, anyOf, type Engine, where } from './engine.ts';
import { SCHEMA_VERSION, ledgersTable } from './tables.ts';

const KEPT_SECONDS = 3 * 24 * 3600;
/** Rows of an hour that are read: more hosts than a deployment has. */
const MOST_ROWS = 5000;

export interface Ledger {
  /** @param job after the write that ended it; one that has not ended, or was cancelled, is not counted by this */
  ended(job: EndedJob): void;
  /** After the write that cancelled a job. */
  cancelled(): void;
  /** @param how a try to deliver a webhook ended, after it was recorded */
  tried(how: Tried): void;
  /** Puts what was counted since the last time. @throws what the table throws: the next call puts it too */
  write(): Promise<void>;
}

export type Ledgers = ReturnType<typeof createLedgers>;

export function createLedgers({ table: tableOf, clock }: Engine) {
  const table = tableOf(ledgersTable);

  return {
    /** @param writer unique to a run of a process */
    of(writer: string): Ledger {
      const rows = new Map<string, LedgerRow>();
      const put = new Map<string, number>();
      const count = (added: (row: LedgerRow, at: number) => LedgerRow) => {
        const at = clock.now();
        const hour = hourOf(at);
        rows.set(hour, added(rows.get(hour) ?? emptyRow(hour, writer), at));
      };
      return {
        ended(job) {
          if (!hasEnded(job) || job.status === 'cancelled') return;
          count((row, at) => addEnd(row, job, at));
        },
        cancelled: () => count(addCancelled),
        tried: (how) => count((row, at) => addTry(row, how, at)),
        async write() {
          const now = clock.now();
          for (const [hour, row] of rows) {
            if (put.get(hour) !== row.ends) {
              const expiresAt = Math.ceil(now / 1000) + KEPT_SECONDS;
              const fewer = anyOf(absent('ledgerId'), where('ends', '<', row.ends));
              await table.put({ ...row, expiresAt, v: SCHEMA_VERSION }, [fewer]);
              put.set(hour, row.ends);
            }
            if (hour === hourOf(now) || rows.get(hour) !== row) continue;
            rows.delete(hour);
            put.delete(hour);
          }
        },
      };
    },

    /** Eventually consistent: one query, and a read of 100 rows for each 100 processes. */
    async readHour(hour: string): Promise<LedgerRow[]> {
      const { rows } = await table.page({ index: 'byHour', partition: hour }, MOST_ROWS);
      return table.readMany<LedgerRow>(
        rows.map(({ ledgerId }) => ({ ledgerId })),
        false,
      );
    },
  };
}
