// Turns on deletion protection of deployed tables. The template cannot: a first deployment that fails could not remove a
// protected table, and the next deployment would collide with it.

import { DescribeTableCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import type { StoreClient } from './client.ts';

/** @returns the names of the tables that were not protected before @throws what DynamoDB answers, as for a missing table */
export async function protectTables({ raw }: StoreClient, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const TableName of names) {
    const { Table } = await raw.send(new DescribeTableCommand({ TableName }));
    if (Table?.DeletionProtectionEnabled) continue;
    await raw.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true }));
    found.push(TableName);
  }
  return found;
}
