// Does what DynamoDB's TTL does on AWS, for the embedded DynamoDB, which has none.

import { DeleteCommand, ScanCommand, type ScanCommandOutput } from '@aws-sdk/lib-dynamodb';
import { deliveriesTable, jobsTable, type TableSpec } from '../tables.ts';
import type { StoreClient } from './client.ts';

/** Items of a page that does not keep the table from others for long. */
const SCANNED_AT_ONCE = 200;

/** Removes jobs and deliveries whose second of expiry has passed. Reads the whole tables. @returns how many were removed */
export async function removeExpired(client: StoreClient, prefix: string, now: number): Promise<number> {
  let removed = 0;
  for (const table of [jobsTable, deliveriesTable]) removed += await removeFrom(client, prefix, table, now);
  return removed;
}

async function removeFrom(
  { documents }: StoreClient,
  prefix: string,
  { name, partitionKey, sortKey, ttl }: TableSpec,
  now: number,
): Promise<number> {
  const TableName = prefix + name;
  const keys = [partitionKey, sortKey ?? []].flat();
  let removed = 0;
  let page: ScanCommandOutput | undefined;
  do {
    page = await documents.send(
      new ScanCommand({
        TableName,
        FilterExpression: '#ttl < :now',
        ProjectionExpression: keys.map((key) => `#${key}`).join(', '),
        ExpressionAttributeNames: { '#ttl': ttl, ...Object.fromEntries(keys.map((key) => [`#${key}`, key])) },
        ExpressionAttributeValues: { ':now': Math.floor(now / 1000) },
        Limit: SCANNED_AT_ONCE,
        ExclusiveStartKey: page?.LastEvaluatedKey,
      }),
    );
    const { Items = [] } = page;
    for (const Key of Items) await documents.send(new DeleteCommand({ TableName, Key }));
    removed += Items.length;
  } while (page.LastEvaluatedKey);
  return removed;
}
