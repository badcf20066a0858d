// Writes the number of hosts alive and of shards for the waiting jobs (core/queue-spread.ts).

import { isDeepStrictEqual } from 'node:util';
import { isAlive } from '../core/host.ts';
import { ALL_SHARDS_READ_EVERY, HOSTS_PER_SHARD, MAX_SHARDS } from '../core/limits.ts';
import { nextSpread, UNSPREAD } from '../core/queue-spread.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Log } from '../log.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';
import type { SpreadStore } from '../store/queue-spread.ts';

export interface Spreading {
  round(): Promise<void>;
}

/** @param now ms, the tables' clock; @param hostsPerShard above which another shard is used */
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
  hosts: Pick<Hosts, 'listCached'>;
  spread: SpreadStore;
  log: Log;
  now(): number;
  timings?: Timings | undefined;
  hostsPerShard?: number | undefined;
}): Spreading {
  let readAllAt = -Infinity;

  /** The number of shards up to the last with a waiting job, of `shards`; at least one. */
  async function occupiedOf(shards: number): Promise<number> {
    // One after the other: a small process may not open a connection for each at once.
    for (let shard = shards - 1; shard > 0; shard -= 1)
      if ((await jobs.listShard(shard, 1)).length > 0) return shard + 1;
    return 1;
  }

  return {
    async round() {
      const stored = await spread.read();
      const was = stored ?? UNSPREAD;
      // Now and then all shards: after a restored table or a late write, jobs may wait in one that no host reads.
      const all = !stored || Math.abs(now() - readAllAt) >= ALL_SHARDS_READ_EVERY;
      const alive = (await hosts.listCached()).filter((host) => isAlive(host, now(), timings)).length;
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
