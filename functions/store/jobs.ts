// The jobs table: the queue and the truth. Each job has two parts: `request`, written once and first, and `state`, small
// and hot, whose creation is the moment of acceptance. Only conditional writes of single items. A refused condition does
// not prove that the write was not made (the SDK repeats a write whose answer was lost): a caller that must know reads
// strongly and decides.

import type { Change, Job, JobState, Ran } from '../core/job.ts';
import { readListOrder } from '../core/names.ts';
import type { JobRequest } from '../core/request.ts';
import { shardOf, UNSPREAD } from '../core/queue-spread.ts';
import { absent, beginsWith, type Engine, present, where } from './engine.ts';
import { fieldsOf, itemOf, updateOf, WEBHOOK_PENDING } from './job-item.ts';
import { listNewest, type Page } from './page.ts';
import { createSpread } from './queue-spread.ts';
import { jobsTable } from './tables.ts';
import { createWork } from './work.ts';

/** A row of an owner's jobs. `place` is its `ownerOrder`. */
export interface OwnedJob {
  jobId: string;
  place: string;
}

/** A row of those that ran to an end. */
export interface ListedJob extends OwnedJob {
  images: number;
}

type StatePart = JobState & { part: 'state' };
/** `renewed` is the token of the last acceptance under the same id. */
type RequestPart = JobRequest & { part: 'request'; renewed?: string };

/** As many as one BatchGet reads. */
const PENDING_AT_ONCE = 100;

export type Jobs = ReturnType<typeof createJobs>;

export function createJobs(engine: Engine, spread = createSpread(engine)) {
  const table = engine.table(jobsTable);
  const stateKey = (jobId: string) => ({ jobId, part: 'state' });
  const requestKey = (jobId: string) => ({ jobId, part: 'request' });
  const stateOf = (item: object) => fieldsOf(item) as unknown as JobState;

  async function readState(jobId: string): Promise<JobState | undefined> {
    const item = await table.read<StatePart>(stateKey(jobId));
    return item && stateOf(item);
  }

  async function acceptedItem(state: JobState, expiresAt: number): Promise<object> {
    // The first shard is right for any job, so acceptance does not depend on knowing of more.
    const { write } = await spread.readCached().catch(() => UNSPREAD);
    return { ...itemOf(state, shardOf(state.jobId, write)), part: 'state', expiresAt };
  }

  const readRequest = (jobId: string) => table.read<RequestPart>(requestKey(jobId));

  return {
    ...createWork(table, spread),

    /** Stores a request unless there is one. @returns what is stored: the caller compares */
    async putRequest(request: JobRequest, expiresAt: number): Promise<JobRequest> {
      if (await table.put({ ...request, part: 'request', expiresAt }, [absent('jobId')])) return request;
      const stored = await readRequest(request.jobId);
      if (stored) return stored;
      // Deleted between the refusal and the read: the name is free again.
      return this.putRequest(request, expiresAt);
    },

    /**
     * Accepts a job whose request is new: both parts, in order.
     * @returns `there`: a request with this id is stored, and nothing was put; `before`: its state was accepted before
     */
    async putNew(
      request: JobRequest,
      state: JobState,
      expiresAt: number,
    ): Promise<'accepted' | 'before' | 'there'> {
      const put = await engine.putInOrder([
        { table: jobsTable, item: { ...request, part: 'request', expiresAt }, when: [absent('jobId')] },
        { table: jobsTable, item: await acceptedItem(state, expiresAt), when: [absent('jobId')] },
      ]);
      return put === 2 ? 'accepted' : put === 1 ? 'before' : 'there';
    },

    /**
     * Accepts a job: the commit point. A job that returns to the queue later waits in the first shard.
     * @returns false: it was accepted before
     */
    async putState(state: JobState, expiresAt: number): Promise<boolean> {
      return table.put(await acceptedItem(state, expiresAt), [absent('jobId')]);
    },

    /** Both parts in one read, strongly consistent. Undefined: the job was never accepted. */
    async read(jobId: string): Promise<Job | undefined> {
      const keys = [stateKey(jobId), requestKey(jobId)];
      const parts = await table.readMany<StatePart | RequestPart>(keys, true);
      const state = parts.find((item) => item.part === 'state');
      const request = parts.find((item) => item.part === 'request');
      return state && request && { state: stateOf(state), request };
    },

    /** Strongly consistent, as is `readRequest`. Undefined: there is no such part. */
    readState,
    readRequest,

    /**
     * In the order of `jobIds`, each once: a job that moves may stand in two lists, and DynamoDB refuses a key that is
     * named twice. Jobs that are gone are left out.
     */
    async readStates(jobIds: string[], { consistent }: { consistent: boolean }): Promise<JobState[]> {
      const asked = [...new Set(jobIds)];
      const states = await table.readMany<StatePart>(asked.map(stateKey), consistent);
      const byId = new Map(states.map((state) => [state.jobId, stateOf(state)]));
      return asked.flatMap((jobId) => byId.get(jobId) ?? []);
    },

    /** Eventually consistent; jobs that are gone are left out. @param fields at least these are read; absent: all */
    async readRequests<Field extends keyof JobRequest = keyof JobRequest>(
      jobIds: string[],
      fields?: readonly (Field | 'jobId')[],
    ): Promise<Map<string, Pick<JobRequest, Field | 'jobId'>>> {
      const asked = [...new Set(jobIds)].map(requestKey);
      const requests = await table.readMany<RequestPart>(asked, false, fields);
      return new Map(requests.map((request) => [request.jobId, request]));
    },

    /** One conditional write. Returns false if it was refused, which may be by an own write whose answer was lost. */
    write: (jobId: string, change: Change): Promise<boolean> =>
      table.update(stateKey(jobId), updateOf(change)),

    /**
     * An owner's jobs that ended as `status`, newest first. Eventually consistent.
     * @param before a place, as is the cursor
     */
    async listRan(owner: string, status: Ran, limit: number, before = '~'): Promise<Page<ListedJob>> {
      const { items, cursor } = await listNewest<{ jobId: string; listOrder: string }>(table, owner, limit, {
        by: { index: 'byList', order: 'listOrder' },
        from: `${status}#`,
        before: `${status}#${before}`,
      });
      const listed = items.map((row) => ({ jobId: row.jobId, ...readListOrder(row.listOrder) }));
      return { items: listed, ...(cursor !== undefined && { cursor: readListOrder(cursor).place }) };
    },

    /** All of an owner's jobs, newest first. Eventually consistent. @param before a place, as is the cursor */
    async listOwned(owner: string, limit: number, before?: string): Promise<Page<OwnedJob>> {
      const by = { index: 'byOwner', order: 'ownerOrder' };
      const { items, cursor } = await listNewest<{ jobId: string; ownerOrder: string }>(table, owner, limit, {
        by,
        before,
      });
      const owned = items.map(({ jobId, ownerOrder }) => ({ jobId, place: ownerOrder }));
      return { items: owned, ...(cursor !== undefined && { cursor }) };
    },

    /** The outbox: ids of jobs that have ended and whose webhook is pending, oldest first. Eventually consistent. */
    async *listWebhookPending(): AsyncGenerator<string[]> {
      const pending = { index: 'byHook', partition: WEBHOOK_PENDING };
      for await (const rows of table.pages(pending, PENDING_AT_ONCE))
        yield rows.map(({ jobId }) => String(jobId));
    },

    /**
     * For a stored request that is about to be accepted (again): a removal of the former job that is under way leaves it.
     * @param token unique to this call
     * @returns false: the request is gone
     */
    renewRequest(jobId: string, token: string, expiresAt: number): Promise<boolean> {
      return table.update(requestKey(jobId), {
        when: [present('jobId')],
        set: { renewed: token, expiresAt },
      });
    },

    /**
     * Removes a job for good. The state goes first: a request without a state is a job that was never accepted. A job that
     * is accepted anew under the same id during this call stays whole: the request is read before the state, and removed
     * only as it was then.
     */
    async remove(jobId: string): Promise<void> {
      const renewed = (await readRequest(jobId))?.renewed;
      const state = await readState(jobId);
      if (state) {
        const same = [where('status', '=', state.status), where('createdAt', '=', state.createdAt)];
        if (!(await table.remove(stateKey(jobId), same))) return;
      }
      await table.remove(requestKey(jobId), [
        renewed === undefined ? absent('renewed') : where('renewed', '=', renewed),
      ]);
    },

    /** Removes a waiting state whose request is gone: no caller knows of it. Returns false if it is held, or gone. */
    removeWithoutRequest: (jobId: string): Promise<boolean> =>
      table.remove(stateKey(jobId), [beginsWith('work', 'waiting')]),
  };
}
