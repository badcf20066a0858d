// The index by work: which jobs wait, in the order of their turns, and which are held. What waits lies under one key or
// more (core/queue-spread.ts); who asks for what waits gets it from all of them, in one order. Eventually consistent.

import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { Work } from '../core/job.ts';
import { ownerTag, ownerTagOf } from '../core/names.ts';
import { keyOfShard } from '../core/queue-spread.ts';
import { everyPage } from './reading.ts';
import type { SpreadStore } from './queue-spread.ts';

/** A row of the index. */
export interface QueueEntry {
  jobId: string;
  workOrder: string;
}

/** Of rows of 150 bytes: well below DynamoDB's megabyte a page. */
const READ_AT_ONCE = 2000;

export function createWork(
  documents: DynamoDBDocumentClient,
  TableName: string,
  spread: Pick<SpreadStore, 'glance'>,
) {
  const indexed = { TableName, IndexName: 'byWork', KeyConditionExpression: '#work = :work' };

  async function* pages(
    key: string,
    how: { Limit: number } | { Select: 'COUNT' },
    after?: string,
  ): AsyncGenerator<QueryCommandOutput> {
    yield* everyPage((ExclusiveStartKey) =>
      documents.send(
        new QueryCommand({
          ...indexed,
          ...(after && { KeyConditionExpression: '#work = :work AND #order > :after' }),
          ExpressionAttributeNames: { '#work': 'work', ...(after && { '#order': 'workOrder' }) },
          ExpressionAttributeValues: { ':work': key, ...(after && { ':after': after }) },
          ...how,
          ExclusiveStartKey,
        }),
      ),
    );
  }

  async function shards(): Promise<number> {
    return (await spread.glance()).read;
  }

  async function keysOf(work: Work): Promise<string[]> {
    return work === 'held' ? [work] : Array.from({ length: await shards() }, (_, shard) => keyOfShard(shard));
  }

  async function listKey(key: string, limit: number, after?: string, owner?: string): Promise<QueueEntry[]> {
    const entries: QueueEntry[] = [];
    // Others' jobs are read over: in pages that do not ask for a thousand of them one by one.
    const Limit = owner === undefined ? Math.min(limit, READ_AT_ONCE) : READ_AT_ONCE;
    for await (const page of pages(key, { Limit }, after)) {
      entries.push(...ownOf((page.Items ?? []) as QueueEntry[], owner));
      if (entries.length >= limit) break;
    }
    return entries.slice(0, limit);
  }

  async function countKey(key: string, owner: string | undefined): Promise<number> {
    let count = 0;
    if (owner === undefined)
      for await (const page of pages(key, { Select: 'COUNT' })) count += page.Count ?? 0;
    else
      for await (const page of pages(key, { Limit: READ_AT_ONCE }))
        count += ownOf((page.Items ?? []) as QueueEntry[], owner).length;
    return count;
  }

  return {
    /** Of what waits. */
    shards,

    /** In the order of the jobs' turns, from behind `after` (a workOrder). @param owner only this one's */
    async listWork(work: Work, limit: number, after?: string, owner?: string): Promise<QueueEntry[]> {
      const keys = await keysOf(work);
      const [first = [], ...others] = await Promise.all(keys.map((key) => listKey(key, limit, after, owner)));
      if (others.length === 0) return first;
      const all = [first, ...others].flat();
      return all.sort((a, b) => (a.workOrder < b.workOrder ? -1 : 1)).slice(0, limit);
    },

    /** One shard of what waits, for who must not ask all of them each time. */
    listShard: (shard: number, limit: number, after?: string) => listKey(keyOfShard(shard), limit, after),

    /** All of a shard, by pages. */
    async *eachOfShard(shard: number): AsyncGenerator<QueueEntry[]> {
      for await (const { Items = [] } of pages(keyOfShard(shard), { Limit: READ_AT_ONCE }))
        yield Items as QueueEntry[];
    },

    /** @param owner only this one's: costs the table as much as all of them */
    async countWork(work: Work, owner?: string): Promise<number> {
      const counts = await Promise.all((await keysOf(work)).map((key) => countKey(key, owner)));
      return counts.reduce((sum, count) => sum + count, 0);
    },

    /** The furthest turn that a host holds; undefined: none is held. */
    async maxStartTagInService(): Promise<string | undefined> {
      const { Items = [] } = await documents.send(
        new QueryCommand({
          ...indexed,
          ExpressionAttributeNames: { '#work': 'work' },
          ExpressionAttributeValues: { ':work': 'held' },
          ScanIndexForward: false,
          Limit: 1,
        }),
      );
      return (Items[0] as QueueEntry | undefined)?.workOrder;
    },
  };
}

function ownOf(entries: QueueEntry[], owner: string | undefined): QueueEntry[] {
  if (owner === undefined) return entries;
  const tag = ownerTag(owner);
  return entries.filter(({ workOrder }) => ownerTagOf(workOrder) === tag);
}
