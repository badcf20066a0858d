// The index by work: which jobs wait, in the order of their start tags, and which are held. Waiting jobs lie under one key
// or more (core/queue-spread.ts); callers get them from all keys, in one order. Eventually consistent.

import type { Work } from '../core/job.ts';
import { ownerTag, ownerTagOf, wasMoved } from '../core/names.ts';
import { keyOfShard } from '../core/queue-spread.ts';
import type { Attributes, Table } from './engine.ts';
import type { SpreadStore } from './queue-spread.ts';

/** A row of the index. */
export interface QueueEntry {
  jobId: string;
  workOrder: string;
}
type RowOfWork = QueueEntry & Attributes;

/** Rows of a page: of 150 bytes each, well below DynamoDB's megabyte. */
const READ_AT_ONCE = 2000;
/** Rows of half a read unit. */
const HELD_AT_ONCE = 25;

export function createWork(table: Table, spread: Pick<SpreadStore, 'readCached'>) {
  const rangeOf = (partition: string, after?: string) => ({ index: 'byWork', partition, after });
  const pages = (key: string, atOnce: number, after?: string) =>
    table.pages<RowOfWork>(rangeOf(key, after), atOnce);

  async function shards(): Promise<number> {
    return (await spread.readCached()).read;
  }

  async function keysOf(work: Work): Promise<string[]> {
    return work === 'held' ? [work] : Array.from({ length: await shards() }, (_, shard) => keyOfShard(shard));
  }

  async function listKey(key: string, limit: number, after?: string, owner?: string): Promise<QueueEntry[]> {
    const entries: QueueEntry[] = [];
    // Rows of other owners are skipped: large pages keep the number of requests small.
    const atOnce = owner === undefined ? Math.min(limit, READ_AT_ONCE) : READ_AT_ONCE;
    for await (const rows of pages(key, atOnce, after)) {
      entries.push(...ownOf(rows, owner));
      if (entries.length >= limit) break;
    }
    return entries.slice(0, limit);
  }

  async function countKey(key: string, owner: string | undefined): Promise<number> {
    if (owner === undefined) return table.count(rangeOf(key));
    let count = 0;
    for await (const rows of pages(key, READ_AT_ONCE)) count += ownOf(rows, owner).length;
    return count;
  }

  return {
    /** How many keys waiting jobs lie under. */
    shards,

    /** In the order of start tags. @param after a workOrder @param owner only this owner's jobs */
    async listWork(work: Work, limit: number, after?: string, owner?: string): Promise<QueueEntry[]> {
      const keys = await keysOf(work);
      const [first = [], ...others] = await Promise.all(keys.map((key) => listKey(key, limit, after, owner)));
      if (others.length === 0) return first;
      const all = [first, ...others].flat();
      return all.sort((a, b) => (a.workOrder < b.workOrder ? -1 : 1)).slice(0, limit);
    },

    /** One shard of the waiting jobs, for callers that must not read all shards each time. */
    listShard: (shard: number, limit: number, after?: string) => listKey(keyOfShard(shard), limit, after),

    /** All of a shard, by pages, in the order of start tags. */
    eachOfShard: (shard: number): AsyncGenerator<QueueEntry[]> => pages(keyOfShard(shard), READ_AT_ONCE),

    /** @param owner only this owner's jobs: costs the table as much as all of them */
    async countWork(work: Work, owner?: string): Promise<number> {
      const counts = await Promise.all((await keysOf(work)).map((key) => countKey(key, owner)));
      return counts.reduce((sum, count) => sum + count, 0);
    },

    /**
     * The greatest work order, and so start tag, of the jobs that hosts hold; undefined: none is held. One that was moved does
     * not count: a host that had listed it before runs it long before its turn.
     */
    async maxStartTagInService(): Promise<string | undefined> {
      const { rows } = await table.page({ ...rangeOf('held'), backwards: true }, HELD_AT_ONCE);
      return (rows as RowOfWork[]).find(({ workOrder }) => !wasMoved(workOrder))?.workOrder;
    },
  };
}

function ownOf(entries: QueueEntry[], owner: string | undefined): QueueEntry[] {
  if (owner === undefined) return entries;
  const tag = ownerTag(owner);
  return entries.filter(({ workOrder }) => ownerTagOf(workOrder) === tag);
}
