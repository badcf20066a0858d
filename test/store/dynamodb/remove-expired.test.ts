// What TTL does on AWS, for a DynamoDB that has none.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeExpired } from '../../../functions/store/dynamodb/remove-expired.ts';
import { STATES } from '../../core/job-states.ts';
import { type DynamoStore, startDynamo } from '../../support/store.ts';

let store: DynamoStore;
beforeAll(async () => {
  store = await startDynamo();
});
afterAll(() => store.close());

test('goes when its second has passed', async () => {
  await store.jobs.putState({ ...STATES.waiting, jobId: 'early' }, 100);
  await store.jobs.putState({ ...STATES.waiting, jobId: 'late' }, 101);
  expect(await removeExpired(store.client, '', 100_999)).toBe(0);
  expect(await removeExpired(store.client, '', 101_000)).toBe(1);
  expect(await store.jobs.listWork('waiting', 9)).toMatchObject([{ jobId: 'late' }]);
});
