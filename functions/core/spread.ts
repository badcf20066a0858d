// How waiting jobs are spread over keys of their index, for fleets that would ask one key more than a partition gives: one
// key for so many hosts. Each job keeps the key that it was put under; which that is says nothing of its turn, so that
// each key holds a fair sample of the queue, in order. Readers lead and writers follow: a key is read by all before the
// first job is put under it, and until the last has left it. Pure; it lies in store/spread.ts.

import { MAX_SHARDS } from './limits.ts';
import type { Timings } from './timings.ts';

export interface Spread {
  /** How many live. */
  hosts: number;
  /** Keys that are read, at least one. */
  read: number;
  /** The first of them, under which new jobs are put. */
  write: number;
  /** When `read` was raised or `write` lowered, ms of the tables' clock. */
  changedAt: number;
}

/** Where no controller has said anything yet. */
export const UNSPREAD: Spread = { hosts: 0, read: 1, write: 1, changedAt: 0 };

/**
 * One step of the controller.
 * @param occupied keys up to the last under which anything waits, of all that there may be; undefined: not looked at
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
  // What lies beyond was put there by one who knew more than this controller: nobody else would find it.
  if (needed > was.read) return { hosts, read: needed, write: was.write, changedAt: now };
  if (wanted < was.write) return { hosts, read: was.read, write: wanted, changedAt: now };
  if (!isKnown) return { ...was, hosts };
  const read = occupied === undefined ? was.read : needed;
  return { hosts, read, write: wanted, changedAt: was.changedAt };
}

/** @param jobId its first digits are as good as drawn by lot */
export function shardOf(jobId: string, shards: number): number {
  return Number.parseInt(jobId.slice(0, 8), 16) % shards || 0;
}

/** The index's key; of the first shard the one that there was before there were shards. */
export function keyOfShard(shard: number): string {
  return shard === 0 ? 'waiting' : `waiting#${shard}`;
}
