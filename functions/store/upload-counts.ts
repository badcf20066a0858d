// What an owner keeps of uploads, as one item of the Usage table, under a day that there is not. The bucket is the truth
// and is counted now and then; in between each upload adds its bytes before it is put, with a mark until it is there. So
// uploads that begin at once see each other, and whoever dies in between leaves a mark that the next count judges.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { UploadCount, UploadReservation } from '../core/upload-count.ts';
import type { StoreClient } from './client.ts';
import { SCHEMA_VERSION, usageTable } from './tables.ts';

const KEPT_SECONDS = 400 * 24 * 3600;
const RESERVATION = /^u[0-9a-f]{64}\.\w+$/;

export type UploadCounts = ReturnType<typeof createUploadCounts>;

function countOf(owner: string, item: Record<string, unknown>): UploadCount {
  const number = (name: string) => Number(item[name] ?? 0);
  const reservations = Object.entries(item).flatMap(([name, value]) => {
    if (!RESERVATION.test(name)) return [];
    const [bytes = 0, at = 0] = value as number[];
    return [{ name: name.slice(1), bytes, at }];
  });
  return {
    owner,
    version: number('version'),
    bytes: number('bytes'),
    countedAt: number('countedAt'),
    reservations,
  };
}

export function createUploadCounts({ documents }: StoreClient, prefix: string) {
  const TableName = prefix + usageTable.name;
  const keyOf = (owner: string) => ({ owner, day: 'uploads' });

  /** False: refused. */
  async function update(owner: string, how: Omit<UpdateCommandInput, 'TableName' | 'Key'>): Promise<boolean> {
    try {
      await documents.send(new UpdateCommand({ TableName, Key: keyOf(owner), ...how }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  return {
    /** Strongly. */
    async read(owner: string): Promise<UploadCount> {
      const { Item = {} } = await documents.send(
        new GetCommand({ TableName, Key: keyOf(owner), ConsistentRead: true }),
      );
      return countOf(owner, Item);
    },

    /**
     * Adds it to the count.
     * @param countedSince a count that is older says nothing; @param limit bytes with this one
     * @returns false: there is no room as far as the count knows, it is too old, or the same upload has begun before
     */
    begin(
      owner: string,
      reservation: UploadReservation,
      countedSince: number,
      limit: number,
    ): Promise<boolean> {
      if (reservation.bytes > limit) return Promise.resolve(false);
      return update(owner, {
        ConditionExpression: 'attribute_not_exists(#mark) AND #countedAt >= :since AND #bytes <= :room',
        UpdateExpression: 'SET #mark = :mark, #bytes = #bytes + :bytes, #version = #version + :one',
        ExpressionAttributeNames: {
          '#mark': `u${reservation.name}`,
          '#bytes': 'bytes',
          '#version': 'version',
          '#countedAt': 'countedAt',
        },
        ExpressionAttributeValues: {
          ':mark': [reservation.bytes, reservation.at],
          ':bytes': reservation.bytes,
          ':one': 1,
          ':since': countedSince,
          ':room': limit - reservation.bytes,
        },
      });
    },

    /** The same upload again, while it is under way: it is counted. False: it is not. */
    join(owner: string, { name, bytes, at }: UploadReservation): Promise<boolean> {
      return update(owner, {
        ConditionExpression: 'attribute_exists(#mark)',
        UpdateExpression: 'SET #mark = :mark',
        ExpressionAttributeNames: { '#mark': `u${name}` },
        ExpressionAttributeValues: { ':mark': [bytes, at] },
      });
    },

    /** It is in the bucket. */
    async done(owner: string, name: string): Promise<void> {
      await update(owner, {
        ConditionExpression: 'attribute_exists(#mark)',
        UpdateExpression: 'REMOVE #mark',
        ExpressionAttributeNames: { '#mark': `u${name}` },
      });
    },

    /**
     * What a count of the bucket came to, with what is under way.
     * @param read before the bucket was counted; @param over marks of uploads that came to nothing
     * @returns false: an upload has begun meanwhile; count again
     */
    replace(
      read: UploadCount,
      bytes: number,
      at: number,
      over: readonly UploadReservation[],
    ): Promise<boolean> {
      const gone = over.map((_, index) => `#m${index}`);
      return update(read.owner, {
        ConditionExpression: read.version === 0 ? 'attribute_not_exists(#version)' : '#version = :read',
        UpdateExpression: `SET #bytes = :bytes, #countedAt = :at, #version = :next, #expiresAt = :expiresAt, #v = :v${gone.length > 0 ? ` REMOVE ${gone.join(', ')}` : ''}`,
        ExpressionAttributeNames: {
          '#bytes': 'bytes',
          '#countedAt': 'countedAt',
          '#version': 'version',
          '#expiresAt': 'expiresAt',
          '#v': 'v',
          ...Object.fromEntries(over.map(({ name }, index) => [`#m${index}`, `u${name}`])),
        },
        ExpressionAttributeValues: {
          ':bytes': bytes,
          ':at': at,
          ':next': read.version + 1,
          ...(read.version > 0 && { ':read': read.version }),
          ':expiresAt': Math.ceil(at / 1000) + KEPT_SECONDS,
          ':v': SCHEMA_VERSION,
        },
      });
    },

    /** One was deleted: what is known is too much. */
    async forget(owner: string): Promise<void> {
      await update(owner, {
        ConditionExpression: 'attribute_exists(#countedAt)',
        UpdateExpression: 'SET #countedAt = :never',
        ExpressionAttributeNames: { '#countedAt': 'countedAt' },
        ExpressionAttributeValues: { ':never': 0 },
      });
    },
  };
}
