// The tables where nobody deploys them: made once, and those of an earlier release are not half used.

import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

test('they may be made again', async () => {
  await createTables(store.client, '');
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
