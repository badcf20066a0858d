// The deliveries table: one item for the webhook of one job, from its end on. Who sends it claims it first, by moving
// the time at which it is due: of two processes one sends, and where that one dies the other does after the lease.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  type Addressed,
  type Delivery,
  type Due,
  dueOf,
  dueOrder,
  readDue,
  timeOf,
  type Tried,
} from '../core/delivery.ts';
import type { StoreClient } from './client.ts';
import { everyPage, listOfOwner, type Page, readMany, removeExpired } from './reading.ts';
import { deliveriesTable, SCHEMA_VERSION } from './tables.ts';

/** What is due, as far as it is looked at. */
export interface DueNow {
  due: Due[];
  /** There may be more than that. */
  more: boolean;
  /** When the next will be, ms; undefined: none, or it was not looked for. */
  nextDue?: number;
}

const BY_OWNER = { index: 'byOwner', order: 'ownerOrder' };

export type Deliveries = ReturnType<typeof createDeliveries>;

/** Of a page. */
const AT_ONCE = 100;
/** Of one that goes backwards. */
const LATELY = 25;
/** What is looked at from each end of what is due. */
const EXAMINED = 2000;

export function createDeliveries({ documents }: StoreClient, prefix: string) {
  const TableName = prefix + deliveriesTable.name;
  const table = { documents, name: TableName };

  async function read(deliveryId: string): Promise<Delivery | undefined> {
    const { Item } = await documents.send(
      new GetCommand({ TableName, Key: { deliveryId }, ConsistentRead: true }),
    );
    return Item as Delivery | undefined;
  }

  /** @returns the item as it is after the write; undefined: refused */
  async function update(
    deliveryId: string,
    write: { when: string; set: Record<string, unknown>; remove?: string[]; add?: 'attempts' },
    values: Record<string, unknown> = {},
  ): Promise<Delivery | undefined> {
    const { when, set, remove = [], add } = write;
    const fields = Object.keys(set).filter((field) => set[field] !== undefined);
    // Conditions name their fields as the expression does.
    const named = [...when.matchAll(/#(\w+)/g)].map(([, field]) => field!);
    const names = new Set([...named, ...fields, ...remove, ...(add ? [add] : [])]);
    const sets = [
      ...fields.map((field) => `#${field} = :${field}`),
      ...(add ? [`#${add} = #${add} + :one`] : []),
    ];
    try {
      const { Attributes } = await documents.send(
        new UpdateCommand({
          TableName,
          Key: { deliveryId },
          ConditionExpression: when,
          UpdateExpression: [
            sets.length > 0 ? `SET ${sets.join(', ')}` : '',
            remove.length > 0 ? `REMOVE ${remove.map((field) => `#${field}`).join(', ')}` : '',
          ].join(' '),
          ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: {
            ...Object.fromEntries(fields.map((field) => [`:${field}`, set[field]])),
            ...(add && { ':one': 1 }),
            ...values,
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return Attributes as Delivery;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  /** All that is still to be sent, in the order of when it is due; with `until`, backwards from that time. By pages. */
  async function* dueRows(until?: number): AsyncGenerator<Due[]> {
    const backwards = until !== undefined;
    const pages = everyPage((ExclusiveStartKey) =>
      documents.send(
        new QueryCommand({
          TableName,
          IndexName: 'byDue',
          KeyConditionExpression: backwards ? '#due = :due AND #order < :later' : '#due = :due',
          ExpressionAttributeNames: { '#due': 'due', ...(backwards && { '#order': 'dueOrder' }) },
          ExpressionAttributeValues: { ':due': 'due', ...(backwards && { ':later': timeOf(until + 1) }) },
          ScanIndexForward: !backwards,
          Limit: backwards ? LATELY : AT_ONCE,
          ExclusiveStartKey,
        }),
      ),
    );
    for await (const { Items = [] } of pages)
      yield (Items as { dueOrder: string }[]).map((row) => readDue(row.dueOrder));
  }

  /** Backwards from now until a page has nothing that is not known, or there are so many; in the order of time. */
  async function latelyDue(now: number, isKnown: (due: Due) => boolean, most: number): Promise<Due[]> {
    const found: Due[] = [];
    for await (const page of dueRows(now)) {
      const unknown = page.filter((due) => !isKnown(due));
      found.push(...unknown.slice(0, most - found.length));
      if (unknown.length === 0 || found.length === most) break;
    }
    return found.toReversed();
  }

  return {
    /** Unless there is one: what has happened to it since stays. */
    async put(delivery: Delivery): Promise<void> {
      try {
        await documents.send(
          new PutCommand({
            TableName,
            Item: { v: SCHEMA_VERSION, ...delivery },
            ConditionExpression: 'attribute_not_exists(deliveryId)',
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },

    /** Strongly. */
    read,

    /**
     * The longest due. Where they are more than `most`, also the most recently due: behind one's backlog another's is
     * seen. Eventually consistent.
     */
    async listDue(now: number, most = EXAMINED): Promise<DueNow> {
      const due: Due[] = [];
      for await (const page of dueRows())
        for (const one of page) {
          if (one.dueAt > now) return { due, more: false, nextDue: one.dueAt };
          if (due.push(one) < most) continue;
          const known = new Set(due.map(({ deliveryId }) => deliveryId));
          due.push(...(await latelyDue(now, ({ deliveryId }) => known.has(deliveryId), most)));
          return { due, more: true };
        }
      return { due, more: false };
    },

    /** What has become due lately, as far as it is not known; cheap where little has. Eventually consistent. */
    listLatelyDue: (now: number, isKnown: (due: Due) => boolean): Promise<Due[]> =>
      latelyDue(now, isKnown, EXAMINED),

    /**
     * Takes it until `leaseEnds`. @param claim unlike any other
     * @returns it as it is then; undefined: another has it, or it is not to be sent any more
     */
    async claim(due: Due, claim: string, leaseEnds: number): Promise<Delivery | undefined> {
      const { deliveryId } = due;
      const taken = await update(
        deliveryId,
        {
          when: '#dueAt = :asRead',
          set: { dueAt: leaseEnds, dueOrder: dueOrder({ ...due, dueAt: leaseEnds }), claim },
          add: 'attempts',
        },
        { ':asRead': due.dueAt },
      );
      if (taken) return taken;
      // The own write, whose answer was lost?
      const now = await read(deliveryId);
      return now?.claim === claim ? now : undefined;
    },

    /** By whoever has claimed it; who has lost the claim meanwhile has nothing to say. False: that is so. */
    async settle(delivery: Addressed, claim: string, tried: Tried): Promise<boolean> {
      const { status, error } = { error: undefined, ...tried };
      const over = !('retryAt' in tried);
      const committedTotals = await update(
        delivery.deliveryId,
        {
          when: '#claim = :claimed',
          set: {
            lastStatus: status,
            lastError: error,
            ...('deliveredAt' in tried && { deliveredAt: tried.deliveredAt }),
            ...('retryAt' in tried && {
              dueAt: tried.retryAt,
              dueOrder: dueOrder(dueOf(delivery, tried.retryAt)),
            }),
            ...('gaveUpAt' in tried && { gaveUpAt: tried.gaveUpAt }),
          },
          remove: [
            'claim',
            ...(over ? ['due', 'dueOrder', 'dueAt'] : []),
            ...(status === undefined ? ['lastStatus'] : []),
            ...(error === undefined ? ['lastError'] : []),
          ],
        },
        { ':claimed': claim },
      );
      return committedTotals !== undefined;
    },

    /** Once more, from now on for a day. Whoever sends it just now has lost the claim. Undefined: there is none. */
    redeliver(delivery: Addressed, now: number): Promise<Delivery | undefined> {
      return update(delivery.deliveryId, {
        when: 'attribute_exists(#deliveryId)',
        set: {
          due: 'due',
          dueAt: now,
          dueOrder: dueOrder(dueOf(delivery, now)),
          since: now,
          attempts: 0,
        },
        remove: ['claim', 'gaveUpAt'],
      });
    },

    /** An owner's, newest first. @param before a place, as `ownerOrder` has it. Eventually consistent. */
    async listOwner(owner: string, limit: number, before?: string): Promise<Page<Delivery>> {
      const { items: rows, ...rest } = await listOfOwner<Pick<Delivery, 'deliveryId' | 'ownerOrder'>>(
        table,
        owner,
        limit,
        { by: BY_OWNER, before },
      );
      const keys = rows.map(({ deliveryId }) => ({ deliveryId }));
      const found = await readMany<Delivery>(table, keys, true);
      const byId = new Map(found.map((delivery) => [delivery.deliveryId, delivery]));
      return { items: rows.flatMap(({ deliveryId }) => byId.get(deliveryId) ?? []), ...rest };
    },

    /** What DynamoDB's TTL does on AWS. */
    removeExpired: (now: number) => removeExpired(table, ['deliveryId'], now, AT_ONCE),
  };
}
