// The queue as one API process sees it: how many wait, who is at its head, and which are one owner's. Read at most once
// a second, what is large less often; what this process itself accepts in between is added.

import { cached } from '../../core/cache.ts';
import { MAX_QUEUE_POSITION } from '../../core/limits.ts';
import type { JobState, Work } from '../../core/job.ts';
import { ownerTag, ownerTagOf } from '../../core/names.ts';
import type { Jobs } from '../../store/jobs.ts';
import type { QueueEntry } from '../../store/work.ts';
import { seldom } from './seldom.ts';

export interface Queue {
  /** Jobs that have not ended: waiting, and held by a host. @param owner only this one's */
  count(owner?: string): Promise<{ waiting: number; held: number }>;
  /** In the order of start tags, from behind `after`. @param owner only this owner's */
  list(work: Work, limit: number, after?: string, owner?: string): Promise<readonly QueueEntry[]>;
  /** From 1; null past 100 or when not waiting. */
  position(state: JobState): Promise<number | null>;
  /** Adds a job that this process accepted. @param moved the row of a job that went back for it */
  accepted(state: JobState, moved?: QueueEntry): void;
}

/** A job that a host claims between the two reads is in both lists, rather than in none. */
export async function unendedIn(
  queue: Pick<Queue, 'list'>,
  limit: number,
  owner: string | undefined,
): Promise<Readonly<Record<Work, readonly QueueEntry[]>>> {
  const waiting = await queue.list('waiting', limit, undefined, owner);
  return { waiting, held: await queue.list('held', limit, undefined, owner) };
}

type QueueEntries = Record<Work, QueueEntry[]>;

/** ms. */
const COUNT_KEPT_FOR_EACH = 1;
/** Of so many jobs the owner's are read anew for each request. */
const SMALL = 200;

export function createQueue(jobs: Jobs, now: () => number): Queue {
  let acceptedSince = 0;
  let head: QueueEntry[] = [];
  let crowd: Map<string, QueueEntries> = new Map();

  const counted = cached(
    async () => {
      const before = acceptedSince;
      const [waiting, held] = await Promise.all([jobs.countWork('waiting'), jobs.countWork('held')]);
      acceptedSince -= before;
      return { waiting, held };
    },
    // A count costs by the rows: many cost a process that is asked often no more a second than a thousand.
    seldom(now, ({ waiting, held }) => (waiting + held) * COUNT_KEPT_FOR_EACH),
  );

  const headRead = cached(async () => {
    head = await jobs.listWork('waiting', MAX_QUEUE_POSITION);
  }, seldom(now));

  /** Everybody's, by whose they are: all owners' lists for what one of them would cost. */
  const crowdRead = cached(async () => {
    const [waiting, held] = await Promise.all([
      jobs.listWork('waiting', Infinity),
      jobs.listWork('held', Infinity),
    ]);
    crowd = new Map();
    for (const [work, entries] of Object.entries({ waiting, held }) as [Work, QueueEntry[]][])
      for (const entry of entries) entriesOf(ownerTagOf(entry.workOrder))[work].push(entry);
  }, seldom(now));

  function entriesOf(tag: string): QueueEntries {
    const known = crowd.get(tag) ?? { waiting: [], held: [] };
    crowd.set(tag, known);
    return known;
  }

  async function count(): Promise<{ waiting: number; held: number }> {
    const { waiting, held } = await counted();
    return { waiting: waiting + acceptedSince, held };
  }

  /** Undefined: there are so few that they can be asked for. */
  async function crowdOf(owner: string): Promise<QueueEntries | undefined> {
    const { waiting, held } = await count();
    if (waiting + held <= SMALL) return undefined;
    await crowdRead();
    return crowd.get(ownerTag(owner)) ?? { waiting: [], held: [] };
  }

  return {
    async count(owner) {
      if (owner === undefined) return count();
      const own = await crowdOf(owner);
      if (own) return { waiting: own.waiting.length, held: own.held.length };
      const [waiting, held] = await Promise.all([
        jobs.countWork('waiting', owner),
        jobs.countWork('held', owner),
      ]);
      return { waiting, held };
    },

    async list(work, limit, after, owner) {
      const own = owner === undefined ? undefined : await crowdOf(owner);
      if (!own) return jobs.listWork(work, limit, after, owner);
      const behind = after === undefined ? own[work] : own[work].filter(({ workOrder }) => workOrder > after);
      // All of them are the same array until something has changed.
      return limit < behind.length ? behind.slice(0, limit) : behind;
    },

    async position(state) {
      if (state.work !== 'waiting') return null;
      await headRead();
      const index = head.findIndex(({ jobId }) => jobId === state.jobId);
      if (index >= 0) return index + 1;
      // Accepted elsewhere since the head was read.
      return head.length < MAX_QUEUE_POSITION ? head.length + 1 : null;
    },

    accepted({ jobId, workOrder }, moved) {
      acceptedSince += 1;
      const own = crowd.get(ownerTagOf(workOrder));
      for (const entry of [...(moved ? [moved] : []), { jobId, workOrder }]) {
        // Its start tag may be before that of others.
        head = into(head, entry).slice(0, MAX_QUEUE_POSITION);
        if (own) own.waiting = into(own.waiting, entry);
      }
    },
  };
}

function into(entries: QueueEntry[], entry: QueueEntry): QueueEntry[] {
  const others = entries.filter(({ jobId }) => jobId !== entry.jobId);
  const behind = others.findIndex(({ workOrder }) => workOrder > entry.workOrder);
  return others.toSpliced(behind < 0 ? others.length : behind, 0, entry);
}
