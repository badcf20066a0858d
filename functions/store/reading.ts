// How every table is read and tidied, whatever lies in it: by pages, by many keys, an owner's newest, what has expired.

import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';

type Attributes = Record<string, unknown>;

export interface Page<T> {
  items: T[];
  cursor?: string;
}

/** One table behind a client. */
export interface Table {
  documents: DynamoDBDocumentClient;
  name: string;
}

/** DynamoDB's own limit. */
const KEYS_AT_ONCE = 100;

/** Asks from where the last answer ended, until there is no more. */
export async function* everyPage<Answer extends { LastEvaluatedKey?: Attributes | undefined }>(
  ask: (start: Attributes | undefined) => Promise<Answer>,
): AsyncGenerator<Answer> {
  let start: Attributes | undefined;
  do {
    const answer = await ask(start);
    yield answer;
    start = answer.LastEvaluatedKey;
  } while (start);
}

/** Any number of items by key, in no order; absent ones are left out. */
export async function readMany<Item>(
  { documents, name }: Table,
  keys: Attributes[],
  consistent: boolean,
): Promise<Item[]> {
  const found: Item[] = [];
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    let pending = keys.slice(from, from + KEYS_AT_ONCE);
    for (let attempt = 0; pending.length > 0; attempt += 1) {
      // Left over because the table throttles.
      if (attempt > 0) await sleep(Math.random() * 50 * 2 ** Math.min(attempt, 6));
      const answer = await documents.send(
        new BatchGetCommand({ RequestItems: { [name]: { Keys: pending, ConsistentRead: consistent } } }),
      );
      found.push(...((answer.Responses?.[name] ?? []) as Item[]));
      pending = answer.UnprocessedKeys?.[name]?.Keys ?? [];
    }
  }
  return found;
}

/** Rows of the index byOwner, newest first. @param before a place, as `ownerOrder` has it. Eventually consistent. */
export async function listOfOwner<Row extends { ownerOrder: string }>(
  { documents, name }: Table,
  owner: string,
  limit: number,
  before?: string,
): Promise<Page<Row>> {
  const page = await documents.send(
    new QueryCommand({
      TableName: name,
      IndexName: 'byOwner',
      KeyConditionExpression: before ? '#owner = :owner AND #order < :before' : '#owner = :owner',
      ExpressionAttributeNames: { '#owner': 'owner', ...(before ? { '#order': 'ownerOrder' } : {}) },
      ExpressionAttributeValues: { ':owner': owner, ...(before ? { ':before': before } : {}) },
      ScanIndexForward: false,
      Limit: limit,
    }),
  );
  const items = (page.Items ?? []) as Row[];
  const last = items.at(-1);
  return page.LastEvaluatedKey && last ? { items, cursor: last.ownerOrder } : { items };
}

/**
 * What DynamoDB's TTL does on AWS: removes the items whose second has come, and says how many. Reads the whole table.
 * @param keys the names of its key's fields; @param atOnce items of a page
 */
export async function removeExpired(
  { documents, name: TableName }: Table,
  keys: readonly string[],
  now: number,
  atOnce: number,
): Promise<number> {
  let removed = 0;
  const pages = everyPage((ExclusiveStartKey) =>
    documents.send(
      new ScanCommand({
        TableName,
        FilterExpression: '#expiresAt < :now',
        ProjectionExpression: keys.map((key) => `#${key}`).join(', '),
        ExpressionAttributeNames: Object.fromEntries(['expiresAt', ...keys].map((key) => [`#${key}`, key])),
        ExpressionAttributeValues: { ':now': Math.floor(now / 1000) },
        Limit: atOnce,
        ExclusiveStartKey,
      }),
    ),
  );
  for await (const { Items = [] } of pages) {
    for (const Key of Items) await documents.send(new DeleteCommand({ TableName, Key }));
    removed += Items.length;
  }
  return removed;
}
