// The Jobs table: the queue and the truth. Each job has two parts: `request`, written once and first, and
// `state`, small and hot, whose creation is the moment of acceptance. Only single-item conditional writes.
// A refused condition is no proof that the write was not made (the SDK repeats a write whose answer was lost):
// who must know reads strongly and decides.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Change, Job, JobState, Ran } from '../core/job.ts';
import { readListOrder } from '../core/names.ts';
import type { JobRequest } from '../core/request.ts';
import { shardOf, UNSPREAD } from '../core/queue-spread.ts';
import type { StoreClient } from './client.ts';
import { expressionsOf } from './expressions.ts';
import { fieldsOf, itemOf, WEBHOOK_PENDING } from './job-item.ts';
import { everyPage, listOfOwner, type Page, readMany, removeExpired } from './reading.ts';
import { createSpread } from './queue-spread.ts';
import { jobsTable, SCHEMA_VERSION } from './tables.ts';
import { createWork } from './work.ts';

/** A row of what lists show: `place` as ownerOrder has it. */
export interface ListedJob {
  jobId: string;
  place: string;
  images: number;
}

type StatePart = JobState & { part: 'state' };
type RequestPart = JobRequest & { part: 'request' };

/** As many as one BatchGet reads. */
const HOOKED_AT_ONCE = 100;

/** A page that does not keep an embedded table from others for long. */
const SCANNED_AT_ONCE = 200;

export type Jobs = ReturnType<typeof createJobs>;

/** @param prefix of the table's name: one account may hold several stages */
export function createJobs(client: StoreClient, prefix: string, spread = createSpread(client, prefix)) {
  const { documents } = client;
  const TableName = prefix + jobsTable.name;
  const work = createWork(documents, TableName, spread);
  const table = { documents, name: TableName };
  const key = (jobId: string, part: 'state' | 'request') => ({ jobId, part });

  /** False: its condition did not hold. */
  async function unlessRefused(command: PutCommand | UpdateCommand | DeleteCommand): Promise<boolean> {
    try {
      // The client's overloads know each of them, not what may be one or another.
      await documents.send(command as PutCommand);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  function putOnce(item: Record<string, unknown>): Promise<boolean> {
    return unlessRefused(
      new PutCommand({
        TableName,
        Item: { v: SCHEMA_VERSION, ...item },
        ConditionExpression: 'attribute_not_exists(jobId)',
      }),
    );
  }

  async function readPart<T>(jobId: string, part: 'state' | 'request'): Promise<T | undefined> {
    const { Item } = await documents.send(
      new GetCommand({ TableName, Key: key(jobId, part), ConsistentRead: true }),
    );
    return Item && (fieldsOf(Item) as T);
  }

  return {
    ...work,

    /** The request part, unless there is one: then that one (the caller compares). */
    async putRequest(request: JobRequest, expiresAt: number): Promise<JobRequest> {
      if (await putOnce({ ...request, part: 'request', expiresAt })) return request;
      const stored = await readPart<JobRequest>(request.jobId, 'request');
      if (stored) return stored;
      // Deleted between the refusal and the read: the name is free again.
      return this.putRequest(request, expiresAt);
    },

    /** The commit point. False: the job was accepted before. What comes back to the queue later waits in the first shard. */
    async putState(state: JobState, expiresAt: number): Promise<boolean> {
      // The first is right for any job: acceptance does not wait for who knows of more.
      const { write } = await spread.glance().catch(() => UNSPREAD);
      return putOnce({ ...itemOf(state, shardOf(state.jobId, write)), part: 'state', expiresAt });
    },

    /** Both parts, strongly, in one read; undefined where the job was never accepted. */
    async read(jobId: string): Promise<Job | undefined> {
      const parts = await readMany<StatePart | RequestPart>(
        table,
        [key(jobId, 'state'), key(jobId, 'request')],
        true,
      );
      const state = parts.find((item) => item.part === 'state');
      const request = parts.find((item) => item.part === 'request');
      return state && request && { state: fieldsOf(state) as unknown as JobState, request };
    },

    readState: (jobId: string) => readPart<JobState>(jobId, 'state'),

    readRequest: (jobId: string) => readPart<JobRequest>(jobId, 'request'),

    /**
     * In the order asked for, each once: a job that moves may stand in two lists, and DynamoDB refuses to be asked
     * twice. Jobs that are gone are left out.
     */
    async readStates(jobIds: string[], { consistent }: { consistent: boolean }): Promise<JobState[]> {
      const asked = [...new Set(jobIds)];
      const keys = asked.map((jobId) => key(jobId, 'state'));
      const states = await readMany<StatePart>(table, keys, consistent);
      const byId = new Map(states.map((state) => [state.jobId, fieldsOf(state) as unknown as JobState]));
      return asked.flatMap((jobId) => byId.get(jobId) ?? []);
    },

    async readRequests(jobIds: string[]): Promise<Map<string, JobRequest>> {
      const keys = [...new Set(jobIds)].map((jobId) => key(jobId, 'request'));
      const requests = await readMany<RequestPart>(table, keys, false);
      return new Map(requests.map((request) => [request.jobId, request]));
    },

    /** One conditional write. False: refused, which may be by an own write whose answer was lost. */
    write(jobId: string, change: Change): Promise<boolean> {
      return unlessRefused(
        new UpdateCommand({ TableName, Key: key(jobId, 'state'), ...expressionsOf(change) }),
      );
    },

    /** An owner's jobs that ended so, newest first. @param before a place; so is `cursor`. Eventually consistent. */
    async listRan(owner: string, status: Ran, limit: number, before = '~'): Promise<Page<ListedJob>> {
      const { items, cursor } = await listOfOwner<{ jobId: string; listOrder: string }>(table, owner, limit, {
        by: { index: 'byList', order: 'listOrder' },
        from: `${status}#`,
        before: `${status}#${before}`,
      });
      const listed = items.map((row) => ({ jobId: row.jobId, ...readListOrder(row.listOrder) }));
      return { items: listed, ...(cursor !== undefined && { cursor: readListOrder(cursor).place }) };
    },

    /** The outbox: jobs that have ended and whose webhook nobody has taken over, oldest first. Eventually consistent. */
    async *listHooked(): AsyncGenerator<string[]> {
      const pages = everyPage((ExclusiveStartKey) =>
        documents.send(
          new QueryCommand({
            TableName,
            IndexName: 'byHook',
            KeyConditionExpression: '#hook = :pending',
            ExpressionAttributeNames: { '#hook': 'hook' },
            ExpressionAttributeValues: { ':pending': WEBHOOK_PENDING },
            Limit: HOOKED_AT_ONCE,
            ExclusiveStartKey,
          }),
        ),
      );
      for await (const { Items = [] } of pages) yield Items.map(({ jobId }) => String(jobId));
    },

    /** What DynamoDB's TTL does on AWS. */
    removeExpired: (now: number) => removeExpired(table, ['jobId', 'part'], now, SCANNED_AT_ONCE),

    /**
     * A request that was put before is about to be accepted (again): whoever removes the former job meanwhile leaves it.
     * False: it is gone. @param mark that nobody else has
     */
    renewRequest(jobId: string, reservation: string, expiresAt: number): Promise<boolean> {
      return unlessRefused(
        new UpdateCommand({
          TableName,
          Key: key(jobId, 'request'),
          UpdateExpression: 'SET renewed = :mark, expiresAt = :expiresAt',
          ConditionExpression: 'attribute_exists(jobId)',
          ExpressionAttributeValues: { ':mark': reservation, ':expiresAt': expiresAt },
        }),
      );
    },

    /**
     * For good. The state goes first: a request without a state is a job that was never accepted. What is accepted anew
     * under the same id meanwhile stays, whole: the request is looked at before the state, and goes only as it was then.
     */
    async remove(jobId: string): Promise<void> {
      const renewed = (await readPart<RequestPart & { renewed?: string }>(jobId, 'request'))?.renewed;
      const state = await readPart<StatePart>(jobId, 'state');
      if (state) {
        const same = new DeleteCommand({
          TableName,
          Key: key(jobId, 'state'),
          ConditionExpression: '#status = :status AND createdAt = :createdAt',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':status': state.status, ':createdAt': state.createdAt },
        });
        if (!(await unlessRefused(same))) return;
      }
      await unlessRefused(
        new DeleteCommand({
          TableName,
          Key: key(jobId, 'request'),
          ...(renewed === undefined
            ? { ConditionExpression: 'attribute_not_exists(renewed)' }
            : {
                ConditionExpression: 'renewed = :renewed',
                ExpressionAttributeValues: { ':renewed': renewed },
              }),
        }),
      );
    },

    /** A waiting state whose request is gone: nobody was told of it. False: it is held, or no more. */
    removeHeadless(jobId: string): Promise<boolean> {
      return unlessRefused(
        new DeleteCommand({
          TableName,
          Key: key(jobId, 'state'),
          ConditionExpression: 'begins_with(#work, :waiting)',
          ExpressionAttributeNames: { '#work': 'work' },
          ExpressionAttributeValues: { ':waiting': 'waiting' },
        }),
      );
    },
  };
}
