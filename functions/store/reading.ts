// How every table is read and cleaned up: one item, many keys, all of it by pages, an owner's newest, what has expired.

import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { allOf, type Attributes, between, compile, type Condition, where } from './expressions.ts';

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

/** Strongly consistent unless `consistent` is false. Undefined: there is no such item. */
export async function read<Item>(
  { documents, name: TableName }: Table,
  Key: Attributes,
  { consistent = true, signal }: { consistent?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<Item | undefined> {
  const command = new GetCommand({ TableName, Key, ConsistentRead: consistent });
  const { Item } = await documents.send(command, { abortSignal: signal });
  return Item as Item | undefined;
}

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

/** Rows of an index, by pages. Eventually consistent. @param keys the partition key's first, then the sort key's */
export function query(
  { documents, name: TableName }: Table,
  IndexName: string,
  keys: readonly Condition[],
  how: Pick<QueryCommandInput, 'Limit' | 'ScanIndexForward' | 'Select'> = {},
): AsyncGenerator<QueryCommandOutput> {
  const expressions = compile((aliases) => ({ KeyConditionExpression: allOf(keys, aliases) }));
  return everyPage((ExclusiveStartKey) =>
    documents.send(new QueryCommand({ TableName, IndexName, ...expressions, ...how, ExclusiveStartKey })),
  );
}

/** The whole table. */
export async function readAll<Item>(
  { documents, name: TableName }: Table,
  ConsistentRead: boolean,
): Promise<Item[]> {
  const found: Item[] = [];
  const pages = everyPage((ExclusiveStartKey) =>
    documents.send(new ScanCommand({ TableName, ConsistentRead, ExclusiveStartKey })),
  );
  for await (const { Items = [] } of pages) found.push(...(Items as Item[]));
  return found;
}

/**
 * Any number of items by key, in no order; absent ones are left out.
 * @param attributes the only ones that are read; absent: all
 */
export async function readMany<Item>(
  { documents, name }: Table,
  keys: Attributes[],
  consistent: boolean,
  attributes?: readonly string[],
): Promise<Item[]> {
  const projection = attributes && {
    ProjectionExpression: attributes.map((attribute) => `#${attribute}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((attribute) => [`#${attribute}`, attribute])),
  };
  const found: Item[] = [];
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    let pending = keys.slice(from, from + KEYS_AT_ONCE);
    for (let attempt = 0; pending.length > 0; attempt += 1) {
      // Keys are left unprocessed when the table throttles.
      if (attempt > 0) await sleep(Math.random() * 50 * 2 ** Math.min(attempt, 6));
      const answer = await documents.send(
        new BatchGetCommand({
          RequestItems: { [name]: { Keys: pending, ConsistentRead: consistent, ...projection } },
        }),
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

/** An owner's rows in an index, newest first. With `from`, `before` must not be the place of a row. Eventually consistent. */
export async function listOfOwner<Row extends Attributes>(
  table: Table,
  owner: string,
  limit: number,
  { by: { index, order }, from, before }: OwnerRange,
): Promise<Page<Row>> {
  const range =
    from !== undefined ? [between(order, from, before)] : before !== undefined && [where(order, '<', before)];
  const keys = [where('owner', '=', owner), ...(range || [])];
  const pages = query(table, index, keys, { ScanIndexForward: false, Limit: limit });
  const { Items = [], LastEvaluatedKey } = (await pages.next()).value as QueryCommandOutput;
  const last = Items.at(-1);
  return { items: Items as Row[], ...(LastEvaluatedKey && last && { cursor: String(last[order]) }) };
}

/**
 * Does what DynamoDB's TTL does on AWS: removes the items whose second of expiry has passed. Reads the whole table.
 * @param keys the names of the table's key attributes
 * @param atOnce items of a page
 * @returns how many were removed
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
