// How waiting jobs are spread over shards (keys of the index byWork), for fleets whose polls exceed a partition's capacity:
// one shard per so many hosts. A job keeps its shard, which does not depend on its start tag: each shard is a sample of the
// queue, in order. Readers lead and writers follow: all hosts read a shard before the first job is put there, and until
// the last has left it. Pure; stored by store/queue-spread.ts.

import { MAX_SHARDS } from './limits.ts';
import type { Timings } from './timings.ts';

export interface Spread {
  /** Hosts alive. */
  hosts: number;
  /** Shards that are read, at least one. */
  read: number;
  /** How many of them, from the first, take new jobs. */
  write: number;
  /** When `read` was raised or `write` lowered, ms of the tables' clock. */
  changedAt: number;
}

/** Before a controller has written one. */
export const UNSPREAD: Spread = { hosts: 0, read: 1, write: 1, changedAt: 0 };

/**
 * One step of the controller.
 * @param occupied the number of shards up to the last with a waiting job; undefined: not read
 */
export function nextSpread(
  was: Spread,
  { hosts, hostsPerShard, occupied }: { hosts: number; hostsPerShard: number; occupied: number | undefined },
  now: number,
  { spreadKnownAfter }: Pick<Timings, 'spreadKnownAfter'>,
): Spread {
  const wanted = Math.min(MAX_SHARDS, Math.max(1, Math.ceil(hosts / hostsPerShard)));
  const isKnown = Math.abs(now - was.changedAt) >= spreadKnownAfter;
  const needed = Math.max(wanted, occupied ?? 1);
  // A job beyond was put there by a process with newer numbers; hosts would not find it otherwise.
  if (needed > was.read) return { hosts, read: needed, write: was.write, changedAt: now };
  if (wanted < was.write) return { hosts, read: was.read, write: wanted, changedAt: now };
  if (!isKnown) return { ...was, hosts };
  const read = occupied === undefined ? was.read : needed;
  return { hosts, read, write: wanted, changedAt: was.changedAt };
}

/** @param jobId its first digits are evenly distributed */
export function shardOf(jobId: string, shards: number): number {
  return Number.parseInt(jobId.slice(0, 8), 16) % shards || 0;
}

/** The index's key of a shard; the first has the key that was used before there were shards. */
export function keyOfShard(shard: number): string {
  return shard === 0 ? 'waiting' : `waiting#${shard}`;
}
