// The Chores table: what the api has begun and the controller finishes. A chore is written before its work is, so that
// nobody's death leaves it half done.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Chore } from '../core/chore.ts';
import type { StoreClient } from './client.ts';
import { choresTable, SCHEMA_VERSION } from './tables.ts';

/** Long enough for a controller that was away. */
const REMEMBERED_SECONDS = 7 * 24 * 3600;

export type Chores = ReturnType<typeof createChores>;

export function createChores({ documents, clock }: StoreClient, prefix: string) {
  const TableName = prefix + choresTable.name;
  return {
    /** One a kind and owner: a later one covers an earlier. */
    async add(chore: Omit<Chore, 'choreId'>): Promise<Chore> {
      const whole: Chore = { choreId: `${chore.kind}#${chore.owner ?? '*'}`, ...chore };
      const expiresAt = Math.ceil(clock.now() / 1000) + REMEMBERED_SECONDS;
      await documents.send(new PutCommand({ TableName, Item: { v: SCHEMA_VERSION, ...whole, expiresAt } }));
      return whole;
    },

    /** All of them, strongly: there are a handful at most. */
    async list(): Promise<Chore[]> {
      const { Items = [] } = await documents.send(new ScanCommand({ TableName, ConsistentRead: true }));
      return Items as Chore[];
    },

    /** Unless it was asked for anew meanwhile. */
    async done({ choreId, until }: Chore): Promise<void> {
      try {
        await documents.send(
          new DeleteCommand({
            TableName,
            Key: { choreId },
            ConditionExpression: '#until = :until',
            ExpressionAttributeNames: { '#until': 'until' },
            ExpressionAttributeValues: { ':until': until },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
}
