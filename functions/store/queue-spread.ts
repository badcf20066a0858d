// How many hosts live, and over how many keys the waiting jobs are spread: one item of the fleet table. The controller
// writes it; every other process reads it at most twice a minute.

import { cached } from '../core/cache.ts';
import { type Spread, UNSPREAD } from '../core/queue-spread.ts';
import { absent, type Engine, where } from './engine.ts';
import { fleetTable } from './tables.ts';

export type SpreadStore = ReturnType<typeof createSpread>;

const KEY = { fleetId: 'hosts-alive' };

export function createSpread({ table: tableOf, clock, timings }: Engine) {
  const table = tableOf(fleetTable);
  let last: Spread | undefined;

  async function readItem(consistent: boolean): Promise<Spread | undefined> {
    const item = await table.read<Omit<Spread, 'hosts'> & { alive: number }>(KEY, { consistent });
    // An earlier release wrote the number of hosts alone.
    if (item?.read === undefined) return undefined;
    return { hosts: item.alive, read: item.read, write: item.write, changedAt: item.changedAt };
  }

  const readSeldom = cached(async () => (last = (await readItem(false)) ?? UNSPREAD), {
    now: clock.now,
    freshFor: () => timings.spreadReadEvery,
  });

  return {
    /**
     * At most `spreadReadEvery` old; while the table does not answer, what was read last.
     * @throws if the table has never answered
     */
    async readCached(): Promise<Spread> {
      try {
        return await readSeldom();
      } catch (error) {
        if (last) return last;
        throw error;
      }
    },

    /** Strongly consistent, for the controller. Undefined: no controller has written it yet. */
    read: () => readItem(true),

    /**
     * @param was as it was read; undefined if it was not there
     * @returns false: another controller has written since
     */
    write({ hosts, ...next }: Spread, was: Spread | undefined): Promise<boolean> {
      return table.put(
        { ...KEY, alive: hosts, ...next },
        was
          ? [
              where('read', '=', was.read),
              where('write', '=', was.write),
              where('changedAt', '=', was.changedAt),
            ]
          : [absent('read')],
      );
    },
  };
}
