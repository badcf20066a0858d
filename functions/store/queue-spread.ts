// How many hosts live, and over how many keys the waiting jobs are spread: one item of the fleet's table. The controller
// says it; everybody else reads it at most twice a minute.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type Spread, UNSPREAD } from '../core/queue-spread.ts';
import type { StoreClient } from './client.ts';
import { createGlance } from './glance.ts';
import { fleetTable, SCHEMA_VERSION } from './tables.ts';

export type SpreadStore = ReturnType<typeof createSpread>;

/** @param prefix of the table's name */
export function createSpread({ documents, clock, timings }: StoreClient, prefix: string) {
  const place = { TableName: prefix + fleetTable.name, Key: { fleetId: 'hosts-alive' } };
  let last: Spread | undefined;

  async function readItem(ConsistentRead: boolean): Promise<Spread | undefined> {
    const { Item } = await documents.send(new GetCommand({ ...place, ConsistentRead }));
    if (!Item) return undefined;
    const { alive, read, write, changedAt } = Item as Partial<Spread> & { alive: number };
    // An earlier release said the number of hosts alone.
    return read === undefined ? undefined : ({ hosts: alive, read, write, changedAt } as Spread);
  }

  const glanceAtItem = createGlance(
    async () => (last = (await readItem(false)) ?? UNSPREAD),
    () => timings.spreadReadEvery,
    () => clock.now(),
  );

  return {
    /** Up to `spreadReadEvery` old; where the table does not answer, as it was last. @throws where it never did */
    async glance(): Promise<Spread> {
      try {
        return await glanceAtItem();
      } catch (error) {
        if (last) return last;
        throw error;
      }
    },

    /** The controller's way: strongly. Undefined: nobody has said it, or it is lost. */
    read: () => readItem(true),

    /** False: another controller was first. @param was as it was read; undefined where it was not there */
    async write({ hosts, ...next }: Spread, was: Spread | undefined): Promise<boolean> {
      try {
        await documents.send(
          new PutCommand({
            TableName: place.TableName,
            Item: { v: SCHEMA_VERSION, ...place.Key, alive: hosts, ...next },
            ...(was
              ? {
                  ConditionExpression: '#read = :read AND #write = :write AND changedAt = :changedAt',
                  ExpressionAttributeValues: {
                    ':read': was.read,
                    ':write': was.write,
                    ':changedAt': was.changedAt,
                  },
                  ExpressionAttributeNames: { '#read': 'read', '#write': 'write' },
                }
              : {
                  ConditionExpression: 'attribute_not_exists(#read)',
                  ExpressionAttributeNames: { '#read': 'read' },
                }),
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
