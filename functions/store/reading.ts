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

interface OwnerRange {
  /** The index's rows; cursors are of the same attribute. */
  by: { index: string; order: string };
  from?: string;
  before?: string | undefined;
}

/** Rows of an owner in an index, newest first. With `from`, `before` must be no row's own place. Eventually consistent. */
export async function listOfOwner<Row>(
  { documents, name }: Table,
  owner: string,
  limit: number,
  { by, from, before }: OwnerRange,
): Promise<Page<Row>> {
  const range =
    from !== undefined ? '#order BETWEEN :from AND :before' : before !== undefined && '#order < :before';
  const page = await documents.send(
    new QueryCommand({
      TableName: name,
      IndexName: by.index,
      KeyConditionExpression: range ? `#owner = :owner AND ${range}` : '#owner = :owner',
      ExpressionAttributeNames: { '#owner': 'owner', ...(range && { '#order': by.order }) },
      ExpressionAttributeValues: {
        ':owner': owner,
        ...(from !== undefined && { ':from': from }),
        ...(before !== undefined && { ':before': before }),
      },
      ScanIndexForward: false,
      Limit: limit,
    }),
  );
  const items = page.Items ?? [];
  const last = items.at(-1);
  return {
    items: items as Row[],
    ...(page.LastEvaluatedKey && last && { cursor: String(last[by.order]) }),
  };
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
