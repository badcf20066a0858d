// Protects tables that stand from being deleted. A template cannot: a first deployment that fails could not take a
// protected table with it, and the next would find it in its way.

import { DescribeTableCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import type { StoreClient } from './client.ts';

/** @returns those that were not protected before */
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
