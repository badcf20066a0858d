// The tables where nobody deploys them: made once, and those of an earlier release are not half used.

import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineOf } from '../../../functions/store/dynamodb/client.ts';
import { createTables } from '../../../functions/store/dynamodb/create-tables.ts';
import { createJobs } from '../../../functions/store/jobs.ts';
import { STATES } from '../../core/job-states.ts';
import { type DynamoStore, startDynamo } from '../../support/store.ts';

let store: DynamoStore;
beforeAll(async () => {
  store = await startDynamo();
});
afterAll(() => store.close());

test('they may be made again, and stages live beside each other', async () => {
  await createTables(store.client, '');
  await createTables(store.client, 'stage2-');
  const other = createJobs(engineOf(store.client, 'stage2-'));
  await other.putState(STATES.waiting, 1);
  expect(await other.countWork('waiting')).toBe(1);
  expect(await store.jobs.countWork('waiting')).toBe(0);
});

test('one that lacks an index is refused with what to do', async () => {
  const { raw } = store.client;
  await raw.send(new DeleteTableCommand({ TableName: 'jobs' }));
  const old = {
    TableName: 'jobs',
    BillingMode: 'PAY_PER_REQUEST' as const,
    AttributeDefinitions: [
      { AttributeName: 'jobId', AttributeType: 'S' as const },
      { AttributeName: 'part', AttributeType: 'S' as const },
    ],
    KeySchema: [
      { AttributeName: 'jobId', KeyType: 'HASH' as const },
      { AttributeName: 'part', KeyType: 'RANGE' as const },
    ],
  };
  // The deletion takes a moment.
  await expect
    .poll(() =>
      raw.send(new CreateTableCommand(old)).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await expect(createTables(store.client, '')).rejects.toMatchObject({
    code: 'bad_setting',
    message: expect.stringMatching(/jobs has no index byWork.*WORKSPACE_PATH to a new folder/),
  });
});
