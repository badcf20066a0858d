// Who waits, and for how long: the index by work, counted by owner.

import { cached } from '../../core/cache.ts';
import { ownerTag, ownerTagOf, readWorkOrder } from '../../core/names.ts';
import type { QueueEntry } from '../../store/work.ts';
import { seldom } from '../caches/seldom.ts';
import { json } from '../http/answers.ts';
import { route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';

/** Rows of 150 bytes: 190 read units, so read less often the more there are. */
const COUNTED = 10_000;
const COUNT_KEPT_FOR_EACH = 1;
const LISTED = 100;

interface OwnersQueueView {
  waiting: number;
  held: number;
  countedAll: boolean;
  /** ms */
  oldestSince: number | undefined;
  owners: { owner: string; waiting: number; held: number; oldestSince: number | undefined }[];
}

export type OwnersQueue = () => Promise<OwnersQueueView>;

interface Rows {
  waiting: QueueEntry[];
  held: QueueEntry[];
}

export function createOwnersQueue({ jobs, now }: AdminDeps): OwnersQueue {
  return cached(
    async () => {
      const [waiting, held] = await Promise.all([
        jobs.listWork('waiting', COUNTED),
        jobs.listWork('held', COUNTED),
      ]);
      const byTag = new Map<string, Rows>();
      for (const [work, rows] of Object.entries({ waiting, held }) as [keyof Rows, QueueEntry[]][])
        for (const row of rows) {
          const tag = ownerTagOf(row.workOrder);
          const own = byTag.get(tag) ?? { waiting: [], held: [] };
          own[work].push(row);
          byTag.set(tag, own);
        }
      const most = [...byTag.values()]
        .toSorted((a, b) => b.waiting.length - a.waiting.length || b.held.length - a.held.length)
        .slice(0, LISTED);
      // A row has a tag of its owner; a job of each has the name.
      const one = most.map((own) => (own.waiting[0] ?? own.held[0])!.jobId);
      const states = await jobs.readStates(one, { consistent: false });
      const names = new Map(states.map(({ owner }) => [ownerTag(owner), owner]));
      return {
        waiting: waiting.length,
        held: held.length,
        countedAll: waiting.length < COUNTED && held.length < COUNTED,
        oldestSince: oldestOf(waiting),
        owners: most.flatMap((own) => {
          const owner = names.get(ownerTagOf((own.waiting[0] ?? own.held[0])!.workOrder));
          if (owner === undefined) return [];
          const counts = { waiting: own.waiting.length, held: own.held.length };
          return [{ owner, ...counts, oldestSince: oldestOf(own.waiting) }];
        }),
      };
    },
    seldom(now, ({ waiting, held }) => (waiting + held) * COUNT_KEPT_FOR_EACH),
  );
}

function oldestOf(rows: readonly QueueEntry[]): number | undefined {
  return rows.reduce<number | undefined>((oldest, { workOrder }) => {
    const { acceptedAt } = readWorkOrder(workOrder);
    return oldest === undefined || acceptedAt < oldest ? acceptedAt : oldest;
  }, undefined);
}

export function secondsSince(at: number | undefined, now: number): number | null {
  return at === undefined ? null : Math.max(0, Math.round((now - at) / 1000));
}

export function queueRoutes(read: OwnersQueue, { now }: Pick<AdminDeps, 'now'>) {
  return [
    route(
      {
        route: 'GET /admin/queue',
        id: 'adminQueue',
        tag: 'Operations',
        summary: 'Who waits, and for how long',
        scope: 'admin',
        answers: { 200: json('The queue by owner', 'QueueByOwner') },
      },
      async () => {
        const queue = await read();
        const at = now();
        return {
          waiting: queue.waiting,
          held: queue.held,
          counted_all: queue.countedAll,
          oldest_wait_seconds: secondsSince(queue.oldestSince, at),
          owners: queue.owners.map(({ oldestSince, ...counts }) => ({
            ...counts,
            oldest_wait_seconds: secondsSince(oldestSince, at),
          })),
        };
      },
    ),
  ];
}
