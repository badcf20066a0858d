// The Keys table: API keys by their id, with the hash of the secret, whose they are and what they may do.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ApiKey } from '../core/access.ts';
import type { StoreClient } from './client.ts';
import { keysTable, SCHEMA_VERSION } from './tables.ts';

/** A key that has ended is listed for so long. */
const REMEMBERED = 90 * 24 * 3_600_000;

export type Keys = ReturnType<typeof createKeys>;

export function createKeys({ documents }: StoreClient, prefix: string) {
  const TableName = prefix + keysTable.name;
  const forgottenAt = (end: number) => Math.ceil((end + REMEMBERED) / 1000);
  return {
    /** False: there is a key of this id. */
    async add(key: ApiKey): Promise<boolean> {
      const { validUntil } = key;
      const expiresAt = validUntil === undefined ? {} : { expiresAt: forgottenAt(validUntil) };
      try {
        await documents.send(
          new PutCommand({
            TableName,
            Item: { v: SCHEMA_VERSION, ...key, ...expiresAt },
            ConditionExpression: 'attribute_not_exists(keyId)',
          }),
        );
        return true;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        // It may be the own write, whose answer was lost.
        return (await this.read(key.keyId))?.hash === key.hash;
      }
    },

    /** Strongly: a revoked key must not come back from a replica. */
    async read(keyId: string): Promise<ApiKey | undefined> {
      const { Item } = await documents.send(
        new GetCommand({ TableName, Key: { keyId }, ConsistentRead: true }),
      );
      return Item as ApiKey | undefined;
    },

    /** All of them, oldest first. */
    async list(): Promise<ApiKey[]> {
      const found: ApiKey[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page = await documents.send(
          new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: start }),
        );
        found.push(...((page.Items ?? []) as ApiKey[]));
        start = page.LastEvaluatedKey;
      } while (start);
      return found.sort((a, b) => a.createdAt - b.createdAt);
    },

    /** Of one that was drawn for a moment: without a trace. */
    async remove(keyId: string): Promise<void> {
      await documents.send(new DeleteCommand({ TableName, Key: { keyId } }));
    },

    /** For good; again is no harm. False: there is no such key. */
    async revoke(keyId: string, now: number): Promise<boolean> {
      try {
        await documents.send(
          new UpdateCommand({
            TableName,
            Key: { keyId },
            ConditionExpression: 'attribute_exists(keyId)',
            UpdateExpression: 'SET #revokedAt = if_not_exists(#revokedAt, :now), #expiresAt = :expiresAt',
            ExpressionAttributeNames: { '#revokedAt': 'revokedAt', '#expiresAt': 'expiresAt' },
            ExpressionAttributeValues: { ':now': now, ':expiresAt': forgottenAt(now) },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
