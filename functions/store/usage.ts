// The Usage table: a day of an owner, as totals of the jobs that have ended and a mark for each that has not. A mark is
// set before its job is accepted and goes in the very write that adds the job to the totals, on the condition that it is
// there: so nothing counts twice, whoever repeats it, and who dies in between leaves a mark that the controller settles.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  GetCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  MAX_RESERVATIONS,
  type Reservation,
  type ReservedUsage,
  type Room,
  sum,
  type Totals,
  type Usage,
} from '../core/quota.ts';
import type { StoreClient } from './client.ts';
import { SCHEMA_VERSION, usageTable } from './tables.ts';

/** Days are kept for so long. */
const KEPT_SECONDS = 400 * 24 * 3600;
/** So that one expression stays far below DynamoDB's 4 KB. */
export const COMMITTED_TOGETHER = 25;

/** Field → attribute: `unsettled` is what the first release called it. */
const COUNTS = {
  taken: 'taken',
  uncommitted: 'unsettled',
  jobs: 'jobs',
  images: 'images',
  gpuMs: 'gpuMs',
  costMicroUsd: 'costMicroUsd',
  costed: 'costed',
} as const;
const TOTALS = ['jobs', 'images', 'gpuMs', 'costMicroUsd', 'costed'] as const satisfies (keyof Totals)[];

/** An attribute for each mark, since a map must be there before it is written into: `m<22 characters>`. */
function reservationName(jobId: string): string {
  return `m${Buffer.from(jobId.replaceAll('-', ''), 'hex').toString('base64url')}`;
}

function jobIdOf(name: string): string {
  const hex = Buffer.from(name.slice(1), 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export type UsageStore = ReturnType<typeof createUsage>;

function usageOf(item: Record<string, unknown>): ReservedUsage {
  const counts = Object.fromEntries(
    Object.entries(COUNTS).map(([field, name]) => [field, Number(item[name] ?? 0)]),
  );
  const reservations = Object.entries(item).flatMap(([name, value]) => {
    if (!/^m[\w-]{22}$/.test(name)) return [];
    const [images = 0, at = 0] = value as number[];
    return [{ jobId: jobIdOf(name), images, at }];
  });
  return {
    owner: String(item['owner']),
    day: String(item['day']),
    ...(counts as Omit<Usage, 'owner' | 'day'>),
    reservations,
  };
}

export function createUsage({ documents }: StoreClient, prefix: string) {
  const TableName = prefix + usageTable.name;

  async function read(owner: string, day: string): Promise<ReservedUsage> {
    const { Item } = await documents.send(
      new GetCommand({ TableName, Key: { owner, day }, ConsistentRead: true }),
    );
    return usageOf(Item ?? { owner, day });
  }

  return {
    /** Strongly, with its marks. */
    read,

    /** Without marks, eventually consistent; a day without anything has zeros. */
    async readDays(owner: string, days: readonly string[]): Promise<Usage[]> {
      const names = Object.fromEntries(
        ['owner', 'day', ...Object.values(COUNTS)].map((name) => [`#${name}`, name]),
      );
      const found = new Map<string, Usage>();
      let pending: Record<string, unknown>[] = days.map((day) => ({ owner, day }));
      for (let tries = 0; pending.length > 0; tries += 1) {
        if (tries > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * 2 ** tries));
        const { Responses, UnprocessedKeys } = await documents.send(
          new BatchGetCommand({
            RequestItems: {
              [TableName]: {
                Keys: pending,
                ProjectionExpression: Object.keys(names).join(', '),
                ExpressionAttributeNames: names,
              },
            },
          }),
        );
        for (const item of Responses?.[TableName] ?? []) found.set(String(item['day']), usageOf(item));
        pending = UnprocessedKeys?.[TableName]?.Keys ?? [];
      }
      return days.map((day) => found.get(day) ?? usageOf({ owner, day }));
    },

    /**
     * Once for a job, however often it is asked for.
     * @returns the day after it; undefined: there is no room, or the mark is there already (read it)
     */
    async reserve(
      owner: string,
      day: string,
      reservation: Reservation,
      room: Room,
    ): Promise<Usage | undefined> {
      if (room.taken !== undefined && reservation.images > room.taken) return undefined;
      const byImages = room.taken !== undefined;
      try {
        const { Attributes } = await documents.send(
          new UpdateCommand({
            TableName,
            Key: { owner, day },
            ConditionExpression: [
              'attribute_not_exists(#mark)',
              '(attribute_not_exists(#unsettled) OR #unsettled < :unsettled)',
              ...(byImages ? ['(attribute_not_exists(#taken) OR #taken <= :room)'] : []),
            ].join(' AND '),
            UpdateExpression:
              'SET #mark = :mark, #taken = if_not_exists(#taken, :zero) + :images, #unsettled = if_not_exists(#unsettled, :zero) + :one, #open = :open, #expiresAt = :expiresAt, #v = :v',
            ExpressionAttributeNames: {
              '#mark': reservationName(reservation.jobId),
              '#taken': 'taken',
              '#unsettled': 'unsettled',
              '#open': 'open',
              '#expiresAt': 'expiresAt',
              '#v': 'v',
            },
            ExpressionAttributeValues: {
              ':mark': [reservation.images, reservation.at],
              ':images': reservation.images,
              ':zero': 0,
              ':one': 1,
              ':unsettled': Math.min(room.uncommitted, MAX_RESERVATIONS),
              ...(byImages && { ':room': room.taken! - reservation.images }),
              ':open': 'open',
              ':expiresAt': Math.ceil(reservation.at / 1000) + KEPT_SECONDS,
              ':v': SCHEMA_VERSION,
            },
            ReturnValues: 'UPDATED_NEW',
          }),
        );
        return usageOf({ ...Attributes, owner, day });
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    },

    /**
     * Takes marks away and adds what their jobs came to. False: not all of them were there any more; nothing was done.
     * @param last the day as read has no other marks: it leaves the index of what is to be settled
     */
    async commit(
      { owner, day }: Pick<Usage, 'owner' | 'day'>,
      committed: readonly { reservation: Reservation; totals: Totals }[],
      last: boolean,
    ): Promise<boolean> {
      const totals = sum(committed.map((one) => one.totals));
      const names: Record<string, string> = { '#taken': 'taken', '#unsettled': 'unsettled' };
      for (const [index, { reservation }] of committed.entries())
        names[`#m${index}`] = reservationName(reservation.jobId);
      for (const name of TOTALS) names[`#${name}`] = name;
      if (last) names['#open'] = 'open';
      const reservations = committed.map((_, index) => `#m${index}`);
      const reserved = committed.reduce((so, { reservation }) => so + reservation.images, 0);
      try {
        await documents.send(
          new UpdateCommand({
            TableName,
            Key: { owner, day },
            ConditionExpression: [
              ...reservations.map((name) => `attribute_exists(${name})`),
              ...(last ? ['#unsettled = :count'] : []),
            ].join(' AND '),
            UpdateExpression: [
              'SET #taken = if_not_exists(#taken, :zero) + :taken, #unsettled = #unsettled - :count',
              ...TOTALS.map((name) => `, #${name} = if_not_exists(#${name}, :zero) + :${name}`),
              reservations.length > 0 || last
                ? ` REMOVE ${[...reservations, ...(last ? ['#open'] : [])].join(', ')}`
                : '',
            ].join(''),
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: {
              ':taken': totals.images - reserved,
              ':count': committed.length,
              ':zero': 0,
              ...Object.fromEntries(TOTALS.map((name) => [`:${name}`, totals[name]])),
            },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    /** Days with marks, the oldest first. Eventually consistent. */
    async listOpen(): Promise<{ owner: string; day: string }[]> {
      const found: { owner: string; day: string }[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page: QueryCommandOutput = await documents.send(
          new QueryCommand({
            TableName,
            IndexName: 'byOpen',
            KeyConditionExpression: '#open = :open',
            ExpressionAttributeNames: { '#open': 'open' },
            ExpressionAttributeValues: { ':open': 'open' },
            ExclusiveStartKey: start,
          }),
        );
        found.push(...((page.Items ?? []) as typeof found));
        start = page.LastEvaluatedKey;
      } while (start);
      return found;
    },
  };
}
