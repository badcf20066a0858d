// The fleet table: one item, what the controller knows of the GPU hosts from round to round. Each write is conditional on
// the version that it was decided on: of two controllers at the same time only one acts.

import { isDeepStrictEqual } from 'node:util';
import { cached } from '../core/cache.ts';
import { type Fleet, UNKNOWN_FLEET } from '../core/fleet.ts';
import { hostsFreshFor } from '../core/host.ts';
import { FLEET_REMEMBERED } from '../core/limits.ts';
import { absent, type Attributes, type Engine, where } from './engine.ts';
import { fleetTable } from './tables.ts';

/** The only one so far: another kind of machine would be another item. */
const KEY = { fleetId: 'gpu-hosts' };

export type FleetStore = ReturnType<typeof createFleetStore>;

export function createFleetStore({ table: tableOf, clock, timings }: Engine) {
  const table = tableOf(fleetTable);

  async function readItem(consistent: boolean): Promise<Fleet> {
    const item = await table.read<Attributes>(KEY, { consistent });
    if (!item) return UNKNOWN_FLEET;
    const { fleetId: _id, v: _v, expiresAt: _expiresAt, ...fleet } = item;
    return fleet as unknown as Fleet;
  }

  return {
    /** Strongly consistent, for the controller. */
    read: () => readItem(true),

    /** Eventually consistent, at half the price; of a large fleet some seconds old. */
    readCached: cached(() => readItem(false), {
      now: clock.now,
      freshFor: ({ seen }) => hostsFreshFor(Object.keys(seen).length, timings),
    }),

    /** Writes the whole item, one version further. @returns what is stored now; undefined if another process has written since */
    async write(fleet: Fleet): Promise<Fleet | undefined> {
      const next: Fleet = withoutAbsent({ ...fleet, version: fleet.version + 1 });
      const lastChange = Math.max(fleet.updatedAt, fleet.lastError?.at ?? 0);
      const expiresAt = Math.ceil((lastChange + FLEET_REMEMBERED) / 1000);
      const unchanged = fleet.version === 0 ? absent('fleetId') : where('version', '=', fleet.version);
      if (await table.put({ ...KEY, ...next, expiresAt }, [unchanged])) return next;
      // The refusal may be by the own write, whose answer was lost. Another's write that is the same in every field may be
      // taken for it: what follows from it is the same too.
      return isDeepStrictEqual(await readItem(true), next) ? next : undefined;
    },
  };
}

/** As it comes back from the table. */
function withoutAbsent(fleet: Fleet): Fleet {
  return JSON.parse(JSON.stringify(fleet)) as Fleet;
}
