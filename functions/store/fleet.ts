// The Fleet table: one item, what the controller knows of the GPU hosts from round to round. A write names the version
// that it was decided on: of two controllers at once only one acts.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { type Fleet, UNKNOWN_FLEET } from '../core/fleet.ts';
import { FLEET_REMEMBERED } from '../core/limits.ts';
import type { StoreClient } from './client.ts';
import { createGlance, readLessOften } from './glance.ts';
import { fleetTable, SCHEMA_VERSION } from './tables.ts';

/** The only one so far: another kind of machine would be another item. */
const fleetId = 'gpu-hosts';

export type FleetStore = ReturnType<typeof createFleetStore>;

export function createFleetStore({ documents, clock, timings }: StoreClient, prefix: string) {
  const TableName = prefix + fleetTable.name;

  async function readItem(ConsistentRead: boolean): Promise<Fleet | undefined> {
    const { Item } = await documents.send(new GetCommand({ TableName, Key: { fleetId }, ConsistentRead }));
    if (!Item) return undefined;
    const { fleetId: _id, v: _v, expiresAt: _expiresAt, ...fleet } = Item;
    return fleet as Fleet;
  }

  return {
    /** The controller's way: strongly. */
    async read(): Promise<Fleet> {
      return (await readItem(true)) ?? UNKNOWN_FLEET;
    },

    /** For who only tells people, as often as they ask: at half the price, and of a large fleet some seconds old. */
    glance: createGlance(
      async () => (await readItem(false)) ?? UNKNOWN_FLEET,
      ({ seen }) => readLessOften(Object.keys(seen).length, timings),
      () => clock.now(),
    ),

    /** As a whole, one version further. @returns what is stored now; undefined: another wrote since it was read */
    async write(fleet: Fleet): Promise<Fleet | undefined> {
      const next: Fleet = withoutAbsent({ ...fleet, version: fleet.version + 1 });
      const expiresAt = Math.ceil(
        (Math.max(fleet.updatedAt, fleet.lastError?.at ?? 0) + FLEET_REMEMBERED) / 1000,
      );
      try {
        await documents.send(
          new PutCommand({
            TableName,
            Item: { v: SCHEMA_VERSION, fleetId, ...next, expiresAt },
            ...(fleet.version === 0
              ? { ConditionExpression: 'attribute_not_exists(fleetId)' }
              : {
                  ConditionExpression: '#version = :version',
                  ExpressionAttributeNames: { '#version': 'version' },
                  ExpressionAttributeValues: { ':version': fleet.version },
                }),
          }),
        );
        return next;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
      // It may be an own write whose answer was lost. Another's that is the same in every field may be taken for it:
      // what follows from it is the same too.
      return isDeepStrictEqual(await readItem(true), next) ? next : undefined;
    },
  };
}

/** As it comes back from the table. */
function withoutAbsent(fleet: Fleet): Fleet {
  return JSON.parse(JSON.stringify(fleet)) as Fleet;
}
