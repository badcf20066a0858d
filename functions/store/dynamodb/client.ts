// The DynamoDB client that the whole store shares, and the clock that its answers correct.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { TIMINGS, type Timings } from '../../core/timings.ts';
import type { Engine } from '../engine.ts';
import { createTableClock, steadyClock, type TableClock } from '../clock.ts';
import type { TableSpec } from '../tables.ts';
import { createTable } from './table.ts';

export interface StoreSettings {
  /** A URL; absent on AWS. */
  endpoint?: string | undefined;
  region: string;
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
  timings?: Timings | undefined;
}

export interface StoreClient {
  raw: DynamoDBClient;
  documents: DynamoDBDocumentClient;
  clock: TableClock;
  timings: Timings;
}

/** @param local ms. A Lambda passes Date.now: it is frozen between two events, and its monotonic clock may stand still */
export function createStoreClient(settings: StoreSettings, local: () => number = steadyClock): StoreClient {
  const clock = createTableClock(local);
  const { timings = TIMINGS } = settings;
  const raw = new DynamoDBClient({
    region: settings.region,
    ...(settings.endpoint ? { endpoint: settings.endpoint } : {}),
    ...(settings.credentials ? { credentials: settings.credentials } : {}),
    maxAttempts: 5,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 2000,
      requestTimeout: timings.tableAnswersWithin,
      // Without this the SDK only warns and goes on waiting.
      throwOnRequestTimeout: true,
      // `requestTimeout` ends with the headers; this limit also covers a body that breaks off.
      socketTimeout: timings.tableAnswersWithin,
      httpAgent: { maxSockets: 64, keepAlive: true },
      httpsAgent: { maxSockets: 64, keepAlive: true },
    }),
  });
  raw.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = local();
      const result = await next(args);
      const response = result.response as { headers?: Record<string, string> };
      clock.observe(response.headers?.['date'], sentAt, local());
      return result;
    },
    { step: 'deserialize', name: 'observeDate', priority: 'low' },
  );
  const documents = DynamoDBDocumentClient.from(raw, { marshallOptions: { removeUndefinedValues: true } });
  return { raw, documents, clock, timings };
}

/** @param prefix of the tables' names: one account may hold several stages */
export function engineOf({ documents, clock, timings }: StoreClient, prefix: string): Engine {
  const table = (spec: TableSpec) => createTable(documents, prefix, spec);
  return {
    table,
    async putInOrder(puts) {
      let count = 0;
      for (const { table: spec, item, when } of puts) {
        if (!(await table(spec).put(item, when))) break;
        count += 1;
      }
      return count;
    },
    clock,
    timings,
  };
}
