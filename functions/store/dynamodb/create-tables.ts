// Creates the tables in the embedded DynamoDB, where nothing deploys them. Idempotent. It cannot change an existing table
// (dynalite adds no index): a table of an earlier release is refused.

import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { AppError } from '../../core/errors.ts';
import type { StoreClient } from './client.ts';
import { tables, type TableSpec } from '../tables.ts';

/** Resolves when every table is active. @throws AppError bad_setting for a table of an earlier release */
export async function createTables(client: StoreClient, prefix: string): Promise<void> {
  await Promise.all(tables.map((table) => createTable(client, prefix, table)));
}

async function createTable({ raw }: StoreClient, prefix: string, table: TableSpec): Promise<void> {
  const keySchema = (partitionKey: string, sortKey?: string) => [
    { AttributeName: partitionKey, KeyType: 'HASH' as const },
    ...(sortKey ? [{ AttributeName: sortKey, KeyType: 'RANGE' as const }] : []),
  ];
  const attributes = new Set(
    [table, ...table.indexes].flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey ?? []].flat()),
  );
  try {
    await raw.send(
      new CreateTableCommand({
        TableName: prefix + table.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [...attributes].map((name) => ({
          AttributeName: name,
          AttributeType: table.numbers?.includes(name) ? 'N' : 'S',
        })),
        KeySchema: keySchema(table.partitionKey, table.sortKey),
        ...(table.indexes.length > 0 && {
          GlobalSecondaryIndexes: table.indexes.map((index) => ({
            IndexName: index.name,
            KeySchema: keySchema(index.partitionKey, index.sortKey),
            Projection: { ProjectionType: 'KEYS_ONLY' as const },
          })),
        }),
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  for (;;) {
    const { Table } = await raw.send(new DescribeTableCommand({ TableName: prefix + table.name }));
    if (Table?.TableStatus === 'ACTIVE') return refuseOlder(Table, table);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** @throws AppError bad_setting */
function refuseOlder({ GlobalSecondaryIndexes = [] }: TableDescription, table: TableSpec): void {
  const there = new Set(GlobalSecondaryIndexes.map(({ IndexName }) => IndexName));
  const missing = table.indexes.find(({ name }) => !there.has(name));
  if (missing)
    throw new AppError(
      'bad_setting',
      `The tables in WORKSPACE_PATH belong to an earlier release: ${table.name} has no index ${missing.name}. Let that release finish its jobs, then set WORKSPACE_PATH to a new folder`,
      { field: 'WORKSPACE_PATH' },
    );
}
