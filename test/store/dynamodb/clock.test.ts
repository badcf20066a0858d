// A client's clock: every answer of DynamoDB has a Date header, which corrects it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStoreClient, engineOf } from '../../../functions/store/dynamodb/client.ts';
import { createJobs } from '../../../functions/store/jobs.ts';
import { CREDENTIALS, type DynamoStore, REGION, startDynamo } from '../../support/store.ts';
import { KNOWLEDGE, STATES, VERBS } from '../../core/job-states.ts';

const MINUTE = 60_000;

describe("a client's clock", () => {
  let store: DynamoStore;
  beforeAll(async () => {
    store = await startDynamo();
  });
  afterAll(() => store.close());

  it.each([2 * MINUTE, -2 * MINUTE])('is corrected by any answer, when %d ms off', async (ahead) => {
    const settings = { endpoint: store.url, region: REGION, credentials: CREDENTIALS };
    const skewed = createStoreClient(settings, () => Date.now() + ahead);
    expect(await createJobs(engineOf(skewed, '')).readState('none')).toBeUndefined();
    expect(Math.abs(skewed.clock.now() - Date.now())).toBeLessThan(3000);
    skewed.raw.destroy();
  });

  it('is corrected by a refusal too', async () => {
    const settings = { endpoint: store.url, region: REGION, credentials: CREDENTIALS };
    const skewed = createStoreClient(settings, () => Date.now() + 2 * MINUTE);
    const change = VERBS.claim(KNOWLEDGE.right(STATES.waiting));
    expect(await createJobs(engineOf(skewed, '')).write('none', change)).toBe(false);
    expect(Math.abs(skewed.clock.now() - Date.now())).toBeLessThan(3000);
    skewed.raw.destroy();
  });
});
