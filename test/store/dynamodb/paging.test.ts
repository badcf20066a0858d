// DynamoDB answers with a megabyte at most and where to go on, and leaves keys of a batch over: what the store reads is whole.

import type { BatchGetItemCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { workOrder } from '../../../functions/core/names.ts';
import { NOW, STATES } from '../../core/job-states.ts';
import { hostItem } from '../../support/host-item.ts';
import { type DynamoStore, startDynamo } from '../../support/store.ts';

let store: DynamoStore;
beforeAll(async () => {
  store = await startDynamo();
});
afterAll(() => store.close());

/** As on AWS at 1 MB: the table answers with so many items at most, and where to go on. */
async function inPagesOf<T>(items: number, read: () => Promise<T>): Promise<{ result: T; pages: number }> {
  let pages = 0;
  const name = 'smallPages';
  store.client.raw.middlewareStack.add(
    (next) => (args) => {
      const input = args.input as { Limit?: number };
      pages += 1;
      return next({ ...args, input: { ...input, Limit: Math.min(input.Limit ?? items, items) } });
    },
    { step: 'initialize', priority: 'low', name },
  );
  try {
    return { result: await read(), pages };
  } finally {
    store.client.raw.middlewareStack.remove(name);
  }
}

const ids = (rows: { jobId: string }[]) => rows.map(({ jobId }) => jobId);
const order = (id: string) => workOrder(NOW, 7, id, 'any');
const accept = (jobId: string) =>
  store.jobs.putState({ ...STATES.waiting, jobId, workOrder: order(jobId) }, 1);

it('a queue comes whole, in pages of any size, and never beyond the limit', async () => {
  for (const id of ['a', 'b', 'c', 'd', 'e']) await accept(id);
  const whole = await inPagesOf(2, () => store.jobs.listWork('waiting', 100));
  expect(ids(whole.result)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(whole.pages).toBe(3);
  const some = await inPagesOf(2, () => store.jobs.listWork('waiting', 3));
  expect(ids(some.result)).toEqual(['a', 'b', 'c']);
  const behind = await inPagesOf(2, () => store.jobs.listWork('waiting', 100, order('a')));
  expect(ids(behind.result)).toEqual(['b', 'c', 'd', 'e']);
  expect(await inPagesOf(2, () => store.jobs.countWork('waiting'))).toEqual({ result: 5, pages: 3 });
});

it('all hosts are listed, in pages of any size', async () => {
  const hosts = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(hosts.map((hostId) => store.hosts.put(hostItem(hostId, NOW))));
  const { result, pages } = await inPagesOf(2, () => store.hosts.list());
  expect(result.map(({ hostId }) => hostId).sort()).toEqual(hosts);
  expect(pages).toBe(3);
});

it('keys of a batch that the table leaves over are asked for again', async () => {
  const many = Array.from({ length: 230 }, (_, n) => `many-${String(n).padStart(3, '0')}`);
  for (const id of many) await accept(id);
  let asked = 0;
  const name = 'answersFortyAtATime';
  store.client.raw.middlewareStack.add(
    (next) => async (args) => {
      const { RequestItems } = args.input as BatchGetItemCommandInput;
      const [[table, { Keys: keys = [], ...how }]] = Object.entries(RequestItems!) as [
        [string, { Keys?: Record<string, never>[] }],
      ];
      asked += 1;
      const result = await next({
        ...args,
        input: { RequestItems: { [table]: { ...how, Keys: keys.slice(0, 40) } } },
      });
      const rest = keys.slice(40);
      Object.assign(result.output, {
        UnprocessedKeys: rest.length > 0 ? { [table]: { ...how, Keys: rest } } : {},
      });
      return result;
    },
    { step: 'initialize', priority: 'low', name },
  );
  try {
    const found = await store.jobs.readStates(many, { consistent: true });
    expect(ids(found)).toEqual(many);
    expect(asked).toBe(3 + 3 + 1);
  } finally {
    store.client.raw.middlewareStack.remove(name);
  }
});

it('an index that an update has just brought is named, until it can be read', async () => {
  const name = 'backfilling';
  store.client.raw.middlewareStack.add(
    () => () => {
      const message = 'Cannot read from backfilling global secondary index: byType';
      throw Object.assign(new Error(message), { name: 'ValidationException' });
    },
    { step: 'initialize', priority: 'low', name },
  );
  try {
    await expect(store.deliveries.rows(undefined, 1)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('The index byType of the table deliveries is being made') as string,
    });
  } finally {
    store.client.raw.middlewareStack.remove(name);
  }
});
