// Records what DynamoDB would charge for each request of one store client, from the items before and after a write, which
// another client reads. Changes no request.

import {
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  type GetItemCommandOutput,
  type PutItemCommandInput,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import type { StoreClient } from '../../store/dynamodb/client.ts';
import { tables, type TableSpec } from '../../store/tables.ts';
import { type Item, readUnits, sizeOf, writeUnits } from './pricing.ts';

export interface Charge {
  /** The client's name. */
  by: string;
  what: string;
  /** Write units; `reads`: read units. */
  writes: number;
  reads: number;
  /** The units by partition key, of the table and its indexes; empty for a scan, which reads all keys. */
  touched: Touched[];
}

export interface Touched {
  key: string;
  reads: number;
  writes: number;
}

/** Bytes of a row of byWork: two keys of the table and two of the index. */
const INDEX_ROW = 100;

/** @param plain reads the items and is not charged; @param charges receives one entry per request */
export function meter(by: string, client: StoreClient, plain: DynamoDBClient, charges: Charge[]): void {
  client.raw.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context['commandName']).replace('Command', '');
      const input = args.input as { TableName?: string };
      const write = /^(Put|Update|Delete)Item$/.test(command);
      const before = write ? await itemOf(plain, args.input as PutItemCommandInput) : undefined;
      try {
        const result = await next(args);
        if (!write) {
          charges.push({
            by,
            what: nameOfRead(command, input),
            writes: 0,
            reads: readsOf(command, input, result.output),
            touched: readKeys(command, input, result.output),
          });
          return result;
        }
        const after = await itemOf(plain, args.input as PutItemCommandInput);
        const table = tables.find(({ name }) => name === input.TableName)!;
        charges.push({
          by,
          what: nameOfWrite(table.name, before, after),
          writes: writeUnits(table, before, after),
          reads: 0,
          touched: writtenKeys(table, before, after),
        });
        return result;
      } catch (error) {
        // A failed condition is charged as a write of the existing item.
        if (write)
          charges.push({
            by,
            what: 'refused write',
            writes: Math.max(1, Math.ceil(sizeOf(before ?? {}) / 1024)),
            reads: 0,
            touched: [],
          });
        throw error;
      }
    },
    { step: 'build', name: 'meter' },
  );
}

/** The current item of a put, update or delete. */
async function itemOf(
  plain: DynamoDBClient,
  { TableName, Item: put, Key: key }: PutItemCommandInput & Partial<GetItemCommandInput>,
): Promise<Item | undefined> {
  const { partitionKey, sortKey } = tables.find(({ name }) => name === TableName)!;
  const from = key ?? put!;
  const Key = Object.fromEntries([partitionKey, sortKey ?? []].flat().map((name) => [name, from[name]!]));
  return (await plain.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
}

function nameOfWrite(table: string, before: Item | undefined, after: Item | undefined): string {
  if (table !== 'jobs') return 'heartbeat';
  if (!before) return after?.['part']?.S === 'request' ? 'put request' : 'put state';
  const [was, is] = [before, after].map((item) => item?.['status']?.S);
  if (before['attempt']?.N !== after?.['attempt']?.N) return 'claim';
  if (was !== is) return is === 'processing' ? 'start' : String(is);
  return 'progress';
}

function nameOfRead(command: string, input: { TableName?: string; Select?: string }): string {
  const table = input.TableName ?? 'jobs';
  return `${command} ${table}${input.Select === 'COUNT' ? ' (count)' : ''}`;
}

function readKeys(command: string, input: object, output: unknown): Touched[] {
  const { TableName = '', IndexName } = input as QueryCommandInput;
  const at = (key: string) => [{ key, reads: readsOf(command, input, output), writes: 0 }];
  if (command === 'GetItem') {
    const { Key } = input as GetItemCommandInput;
    return at(
      `${TableName} ${partitionOf(
        tables.find(({ name }) => name === TableName)!,
        Key!,
      )}`,
    );
  }
  if (command !== 'Query') return [];
  const values = Object.values((input as QueryCommandInput).ExpressionAttributeValues ?? {});
  return at(`${TableName}.${IndexName} ${values[0]?.S}`);
}

/** The key of the item, and the index rows that are added or removed. */
function writtenKeys(table: TableSpec, before: Item | undefined, after: Item | undefined): Touched[] {
  const own = writeUnits({ ...table, indexes: [] }, before, after);
  const rows = table.indexes.flatMap((index) => {
    if (writeUnits({ ...table, indexes: [index] }, before, after) === own) return [];
    return [before, after].flatMap((item) => {
      const partition = item?.[index.partitionKey]?.S;
      return partition === undefined
        ? []
        : [{ key: `${table.name}.${index.name} ${partition}`, reads: 0, writes: 1 }];
    });
  });
  return [{ key: `${table.name} ${partitionOf(table, (after ?? before)!)}`, reads: 0, writes: own }, ...rows];
}

const partitionOf = (table: TableSpec, item: Item) => item[table.partitionKey]?.S ?? '';

function readsOf(command: string, input: object, output: unknown): number {
  if (command === 'GetItem') {
    const { ConsistentRead: consistent = false } = input as GetItemCommandInput;
    return readUnits(sizeOf((output as GetItemCommandOutput).Item ?? {}), consistent);
  }
  if (command === 'BatchGetItem') {
    const [[table, { ConsistentRead: consistent = false, Keys }]] = Object.entries(
      (input as BatchGetItemCommandInput).RequestItems!,
    ) as [[string, { ConsistentRead?: boolean; Keys: unknown[] }]];
    const found = (output as BatchGetItemCommandOutput).Responses?.[table] ?? [];
    const absent = Keys.length - found.length;
    return (
      found.reduce((sum, item) => sum + readUnits(sizeOf(item), consistent), 0) +
      absent * readUnits(0, consistent)
    );
  }
  const { ConsistentRead: consistent = false } = input as QueryCommandInput;
  const { Items: items, Count: count = 0 } = output as QueryCommandOutput;
  const bytes = items ? items.reduce((sum, item) => sum + sizeOf(item), 0) : count * INDEX_ROW;
  return readUnits(bytes, consistent);
}
