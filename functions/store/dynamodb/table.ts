// A table of DynamoDB as the store asks for it (engine.ts): one request a read and a write, pages until there is no more.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';
import { type Attributes, between, type Condition, type Range, type Table, where } from '../engine.ts';
import { SCHEMA_VERSION, type TableSpec } from '../tables.ts';
import { conditionOf, keyConditionOf, projectionOf, updateOf } from './expressions.ts';

/** DynamoDB's own limit. */
const KEYS_AT_ONCE = 100;

/** @param prefix of the table's name: one account may hold several stages */
export function createTable(documents: DynamoDBDocumentClient, prefix: string, spec: TableSpec): Table {
  const TableName = prefix + spec.name;

  function query(range: Range, how: Pick<QueryCommandInput, 'Limit' | 'Select'>) {
    const expressions = keyConditionOf(conditionsOf(range, spec));
    return everyPage((ExclusiveStartKey) =>
      documents
        .send(
          new QueryCommand({
            TableName,
            IndexName: range.index,
            ...expressions,
            ScanIndexForward: !range.backwards,
            ...how,
            ExclusiveStartKey,
          }),
        )
        .catch((error: Error) => {
          throw isBeingMade(error)
            ? new AppError(
                'unavailable',
                `The index ${range.index} of the table ${spec.name} is being made, which takes some minutes after an update; try again then`,
              )
            : error;
        }),
    );
  }

  const table: Table = {
    async read<Item>(
      Key: Attributes,
      { consistent = true, signal }: { consistent?: boolean; signal?: AbortSignal | undefined } = {},
    ) {
      const command = new GetCommand({ TableName, Key, ConsistentRead: consistent });
      const { Item } = await documents.send(command, { abortSignal: signal });
      return Item as Item | undefined;
    },

    async readMany<Item>(keys: Attributes[], consistent: boolean, attributes?: readonly string[]) {
      const projection = attributes && projectionOf(attributes);
      const found: Item[] = [];
      for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
        let pending = keys.slice(from, from + KEYS_AT_ONCE);
        for (let attempt = 0; pending.length > 0; attempt += 1) {
          // Keys are left unprocessed when the table throttles.
          if (attempt > 0) await sleep(Math.random() * 50 * 2 ** Math.min(attempt, 6));
          const asked = { Keys: pending, ConsistentRead: consistent, ...projection };
          const answer = await documents.send(new BatchGetCommand({ RequestItems: { [TableName]: asked } }));
          found.push(...((answer.Responses?.[TableName] ?? []) as Item[]));
          pending = answer.UnprocessedKeys?.[TableName]?.Keys ?? [];
        }
      }
      return found;
    },

    async readAll<Item>(ConsistentRead: boolean) {
      const found: Item[] = [];
      const pages = everyPage((ExclusiveStartKey) =>
        documents.send(new ScanCommand({ TableName, ConsistentRead, ExclusiveStartKey })),
      );
      for await (const { Items = [] } of pages) found.push(...(Items as Item[]));
      return found;
    },

    async *pages<Row extends Attributes>(range: Range, Limit?: number) {
      for await (const { Items = [] } of query(range, { Limit })) yield Items as Row[];
    },

    async page(range, limit) {
      for await (const { Items = [], LastEvaluatedKey } of query(range, { Limit: limit }))
        return { rows: Items, more: LastEvaluatedKey !== undefined };
      return { rows: [], more: false };
    },

    async count(range) {
      let count = 0;
      for await (const { Count = 0 } of query(range, { Select: 'COUNT' })) count += Count;
      return count;
    },

    async put(item, when = [], abortSignal) {
      const Item = { v: SCHEMA_VERSION, ...item };
      const command = new PutCommand({ TableName, Item, ...conditionOf(when) });
      return (await unlessRefused(documents.send(command, { abortSignal }))) !== undefined;
    },

    async update(Key, change) {
      const command = new UpdateCommand({ TableName, Key, ...updateOf(change), ReturnValues: 'NONE' });
      return (await unlessRefused(documents.send(command))) !== undefined;
    },

    async updateAndRead<Item>(Key: Attributes, change: Parameters<Table['update']>[1], what = 'all') {
      const ReturnValues = what === 'all' ? 'ALL_NEW' : 'UPDATED_NEW';
      const command = new UpdateCommand({ TableName, Key, ...updateOf(change), ReturnValues });
      const answer = await unlessRefused(documents.send(command));
      return answer && ((answer.Attributes ?? {}) as Item);
    },

    async remove(Key, when = []) {
      const command = new DeleteCommand({ TableName, Key, ...conditionOf(when) });
      return (await unlessRefused(documents.send(command))) !== undefined;
    },
  };
  return table;
}

/** CloudFormation does not wait until a new index of a table has its rows: DynamoDB refuses to read it before. */
function isBeingMade({ name, message }: Error): boolean {
  return name === 'ValidationException' && message.includes('backfilling global secondary index');
}

/** DynamoDB takes one condition on the sort key: both ends only as BETWEEN, which includes them. */
function conditionsOf({ index, partition, from, after, before }: Range, { indexes }: TableSpec): Condition[] {
  const { partitionKey, sortKey } = indexes.find(({ name }) => name === index)!;
  const is = where(partitionKey, '=', partition);
  if (from !== undefined && before !== undefined) return [is, between(sortKey, from, before)];
  if (from !== undefined) return [is, where(sortKey, '>=', from)];
  if (after !== undefined) return [is, where(sortKey, '>', after)];
  return before === undefined ? [is] : [is, where(sortKey, '<', before)];
}

/** Asks from where the last answer ended, until there is no more. */
async function* everyPage<Answer extends { LastEvaluatedKey?: Attributes | undefined }>(
  ask: (start: Attributes | undefined) => Promise<Answer>,
): AsyncGenerator<Answer> {
  let start: Attributes | undefined;
  do {
    const answer = await ask(start);
    yield answer;
    start = answer.LastEvaluatedKey;
  } while (start);
}

/** @returns what the write answers; undefined: its condition was refused */
async function unlessRefused<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
