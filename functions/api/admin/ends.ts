// Ended jobs by the hour, from the ledgers of the processes that ended them. An hour that is over is read once more after a
// while and then kept; of two reads of a row the later state counts, whichever replica answered.

import { createCache } from '../../core/cache.ts';
import { HOUR, hourOf, type LedgerRow } from '../../core/ledger.ts';
import type { AdminDeps } from './deps.ts';

/** After its end processes that were cut off may still put what they counted, ms. */
const SETTLED = 10 * 60_000;
const FRESH = 5000;
/** Three days of them are in the table. */
const KEPT_HOURS = 80;

export interface Ends {
  /** Rows of the hours from that of `since` on, ms. */
  rows(since: number): Promise<LedgerRow[]>;
}

export function createEnds({ ledgers, now }: Pick<AdminDeps, 'ledgers' | 'now'>): Ends {
  const known = new Map<string, Map<string, LedgerRow>>();
  const hours = createCache<{ hour: string; rows: LedgerRow[] }>({
    now,
    freshFor: ({ hour }) => (isSettled(hour) ? Infinity : FRESH),
    names: KEPT_HOURS,
  });
  const isSettled = (hour: string) => now() > Date.parse(`${hour}:00:00Z`) + HOUR + SETTLED;

  async function read(hour: string): Promise<{ hour: string; rows: LedgerRow[] }> {
    const rows = known.get(hour) ?? new Map<string, LedgerRow>();
    for (const row of await ledgers.readHour(hour))
      if (row.ends > (rows.get(row.ledgerId)?.ends ?? 0)) rows.set(row.ledgerId, row);
    known.set(hour, rows);
    if (known.size > KEPT_HOURS) known.delete(known.keys().next().value!);
    return { hour, rows: [...rows.values()] };
  }

  return {
    async rows(since) {
      const until = now();
      const first = Math.floor(since / HOUR) * HOUR;
      const asked = Array.from({ length: Math.floor((until - first) / HOUR) + 1 }, (_, index) =>
        hourOf(first + index * HOUR),
      );
      const found = await Promise.all(asked.map((hour) => hours.get(hour, () => read(hour))));
      return found.flatMap(({ rows }) => rows);
    },
  };
}
