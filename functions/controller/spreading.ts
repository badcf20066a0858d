// Says how many hosts live, and over how many keys the waiting jobs are spread (core/spread.ts).

import { isDeepStrictEqual } from 'node:util';
import { isAlive } from '../core/host.ts';
import { ALL_SHARDS_READ_EVERY, HOSTS_PER_SHARD, MAX_SHARDS } from '../core/limits.ts';
import { nextSpread, UNSPREAD } from '../core/spread.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Log } from '../log.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';
import type { SpreadStore } from '../store/spread.ts';

export interface Spreading {
  round(): Promise<void>;
}

export function createSpreading({
  jobs,
  hosts,
  spread,
  log,
  now,
  timings = TIMINGS,
  hostsPerShard = HOSTS_PER_SHARD,
}: {
  jobs: Pick<Jobs, 'listShard'>;
  hosts: Pick<Hosts, 'glance'>;
  spread: SpreadStore;
  log: Log;
  now(): number;
  timings?: Timings | undefined;
  hostsPerShard?: number | undefined;
}): Spreading {
  let readAllAt = -Infinity;

  /** Shards up to the last in which anything waits, of so many; at least one. */
  async function occupiedOf(shards: number): Promise<number> {
    // One after the other: a connection for each at once is more than a small process may have open.
    for (let shard = shards - 1; shard > 0; shard -= 1)
      if ((await jobs.listShard(shard, 1)).length > 0) return shard + 1;
    return 1;
  }

  return {
    async round() {
      const stored = await spread.read();
      const was = stored ?? UNSPREAD;
      // Where nobody has said it, or long ago, jobs may wait where nobody looks: tables that were restored, a write that
      // came late.
      const all = !stored || Math.abs(now() - readAllAt) >= ALL_SHARDS_READ_EVERY;
      const alive = (await hosts.glance()).filter((host) => isAlive(host, now(), timings)).length;
      const occupied = all || was.read > 1 ? await occupiedOf(all ? MAX_SHARDS : was.read) : undefined;
      if (all) readAllAt = now();
      const next = nextSpread(was, { hosts: alive, hostsPerShard, occupied }, now(), timings);
      if (stored && isDeepStrictEqual(next, stored)) return;
      const written = await spread.write(next, stored);
      if (next.read !== was.read || next.write !== was.write)
        log.info('queue.resharded', { readShards: next.read, writeShards: next.write, written });
    },
  };
}
