// The webhook-secrets table: what an owner's webhooks are signed with. Made at its first use, whoever comes first; kept
// as it is, since a signature takes the secret itself.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { StoreClient } from './client.ts';
import { SCHEMA_VERSION, webhookSecretsTable } from './tables.ts';

export type WebhookSecrets = ReturnType<typeof createWebhookSecrets>;

/** Of the signature's hash. */
const SECRET_BYTES = 32;

export function createWebhookSecrets({ documents }: StoreClient, prefix: string) {
  const TableName = prefix + webhookSecretsTable.name;

  async function read(owner: string): Promise<string | undefined> {
    const { Item } = await documents.send(
      new GetCommand({ TableName, Key: { owner }, ConsistentRead: true }),
    );
    return Item?.['secret'] as string | undefined;
  }

  return {
    /** `whsec_` and base64, as Standard Webhooks has it. @param random gives so many bytes, for an owner without one */
    async of(owner: string, random: (bytes: number) => Uint8Array): Promise<string> {
      const there = await read(owner);
      if (there !== undefined) return there;
      const secret = `whsec_${Buffer.from(random(SECRET_BYTES)).toString('base64')}`;
      try {
        await documents.send(
          new PutCommand({
            TableName,
            Item: { v: SCHEMA_VERSION, owner, secret },
            ConditionExpression: 'attribute_not_exists(#owner)',
            ExpressionAttributeNames: { '#owner': 'owner' },
          }),
        );
        return secret;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
      // Another's, or the own one whose answer was lost: that is the owner's now.
      return (await read(owner)) ?? secret;
    },
  };
}
