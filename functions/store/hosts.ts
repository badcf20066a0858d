// The hosts table: one item for one run of a host process. Beside it, in a table that hosts write and only the forwarder
// reads, the secret that offers to a host are signed with.

import { cached, createCache } from '../core/cache.ts';
import { type Host, hostsFreshFor } from '../core/host.ts';
import { HOST_FORGOTTEN_AFTER, INTAKE_KEPT } from '../core/limits.ts';
import { absent, anyOf, type Engine, present, where } from './engine.ts';
import { hostsTable, intakesTable } from './tables.ts';

export type Hosts = ReturnType<typeof createHosts>;

/** Hosts whose secrets a forwarder remembers. */
const REMEMBERED_SECRETS = 500;

export function createHosts({ table: tableOf, clock, timings }: Engine) {
  const table = tableOf(hostsTable);
  const intakes = tableOf(intakesTable);
  const secrets = createCache<string | undefined>({
    now: clock.now,
    // A run never changes its secret.
    freshFor: (secret) => (secret === undefined ? 0 : Infinity),
    names: REMEMBERED_SECRETS,
  });

  return {
    /**
     * Writes the whole item; a heartbeat does the same.
     * @param signal ends the SDK's tries, which may go on for longer than it takes to look dead
     * @returns false if a younger heartbeat is stored: this one would make a living host look dead
     */
    put(host: Host, signal?: AbortSignal): Promise<boolean> {
      const expiresAt = Math.ceil((host.seenAt + HOST_FORGOTTEN_AFTER) / 1000);
      const newest = anyOf(absent('hostId'), where('seenAt', '<=', host.seenAt));
      return table.put({ ...host, expiresAt }, [newest], signal);
    },

    /** Strongly consistent. */
    read: (hostId: string, signal?: AbortSignal) => table.read<Host>({ hostId }, { signal }),

    /** All hosts, dead ones too, strongly consistent: for decisions. Its cost grows with the fleet. */
    list: () => table.readAll<Host>(true),

    /** All hosts, eventually consistent; of a large fleet some seconds old. */
    listCached: cached(() => table.readAll<Host>(false), {
      now: clock.now,
      freshFor: (hosts) => hostsFreshFor(hosts.length, timings),
    }),

    /** Asks the host to drain and end its machine. Returns false if it is gone. */
    retire(hostId: string): Promise<boolean> {
      return table.update({ hostId }, { when: [present('hostId')], set: { retire: true } });
    },

    /**
     * Written before the host's item: a forwarder that finds that may offer.
     * @param secret random, made when the host starts
     */
    async putIntake(hostId: string, secret: string, now: number): Promise<void> {
      await intakes.put({ hostId, secret, expiresAt: Math.ceil((now + INTAKE_KEPT) / 1000) });
    },

    /** The host's secret, read once. Undefined: the host has none. */
    readIntake: (hostId: string): Promise<string | undefined> =>
      secrets.get(hostId, async () => (await intakes.read<{ secret: string }>({ hostId }))?.secret),

    /** Removes the host's item last: a removal that broke off is seen by it, and repeated. */
    async remove(hostId: string): Promise<void> {
      await intakes.remove({ hostId });
      await table.remove({ hostId });
    },
  };
}
