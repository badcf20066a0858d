// The deliveries table: one item for the webhook of one job, from the job's end on. A sender claims a delivery by moving
// the time at which it is due: of two processes one sends, and if that one dies the other sends after the lease.

import {
  type Addressed,
  type Delivery,
  type Due,
  dueOf,
  dueOrder,
  gaveUpOrder,
  readDue,
  timeOf,
  type Tried,
} from '../core/delivery.ts';
import { ownerTag } from '../core/names.ts';
import type { WebhookType } from '../core/webhook.ts';
import { absent, type Engine, present, type Update, where } from './engine.ts';
import { listNewest, type Page } from './page.ts';
import { deliveriesTable } from './tables.ts';

/** What is due, as far as it was read. */
export interface DueNow {
  due: Due[];
  /** There may be more. */
  more: boolean;
  /** When the next will be due, ms; undefined: none, or it was not read. */
  nextDue?: number;
}

/** A row of a list. */
export interface ListedDelivery {
  deliveryId: string;
  /** In the list: a cursor. */
  place: string;
}

const BY_OWNER = { index: 'byOwner', order: 'ownerOrder' };
const BY_TYPE = { index: 'byType', order: 'ownerOrder' };
const TYPES: readonly WebhookType[] = ['job.completed', 'job.failed', 'job.cancelled'];

export type Deliveries = ReturnType<typeof createDeliveries>;

/** Rows of a page. */
const AT_ONCE = 100;
/** Rows of a page that goes backwards. */
const LATELY = 25;
/** Rows that are read from each end of what is due. */
const EXAMINED = 2000;

export function createDeliveries(engine: Engine) {
  const table = engine.table(deliveriesTable);

  const stored = (deliveryId: string) => table.read<Delivery>({ deliveryId });

  /** @returns the item after the write; undefined: refused */
  const write = (deliveryId: string, change: Update) => table.updateAndRead<Delivery>({ deliveryId }, change);

  async function newest(
    partition: string,
    by: typeof BY_OWNER,
    limit: number,
    before: string | undefined,
  ): Promise<Page<ListedDelivery>> {
    const { items, ...rest } = await listNewest<Pick<Delivery, 'deliveryId' | 'ownerOrder'>>(
      table,
      partition,
      limit,
      { by, before },
    );
    return { items: items.map(({ deliveryId, ownerOrder }) => ({ deliveryId, place: ownerOrder })), ...rest };
  }

  /** All that is to be sent, in the order of when it is due; with `until`, backwards from that time. By pages. */
  async function* dueRows(until?: number): AsyncGenerator<Due[]> {
    const pending = { index: 'byDue', partition: 'due' };
    const pages =
      until === undefined
        ? table.pages<{ dueOrder: string }>(pending, AT_ONCE)
        : table.pages<{ dueOrder: string }>(
            { ...pending, before: timeOf(until + 1), backwards: true },
            LATELY,
          );
    for await (const rows of pages) yield rows.map((row) => readDue(row.dueOrder));
  }

  /** Backwards from now until a page shows nothing unknown, or `most` are found; in the order of time. */
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
    /** Does nothing if the delivery is there: what has happened to it since stays. */
    async put(delivery: Delivery): Promise<void> {
      await table.put(delivery, [absent('deliveryId')]);
    },

    /** Strongly consistent. */
    read: stored,

    /**
     * The longest due. If they are more than `most`, also the most recently due: so that one owner's backlog does not
     * hide another's delivery. Eventually consistent.
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

    /** How many are to be sent, up to `most`: one page of the index. Eventually consistent. */
    async countDue(most: number): Promise<number> {
      return (await table.page({ index: 'byDue', partition: 'due' }, most)).rows.length;
    },

    /** What has become due lately and is not known; cheap if that is little. Eventually consistent. */
    listLatelyDue: (now: number, isKnown: (due: Due) => boolean): Promise<Due[]> =>
      latelyDue(now, isKnown, EXAMINED),

    /**
     * Takes a delivery until `leaseEnds`, ms.
     * @param claim unique to this try
     * @returns the delivery after it; undefined: another process has it, or it is no longer to be sent
     */
    async claim(due: Due, claim: string, leaseEnds: number): Promise<Delivery | undefined> {
      const { deliveryId } = due;
      const taken = await write(deliveryId, {
        when: [where('dueAt', '=', due.dueAt)],
        set: { dueAt: leaseEnds, dueOrder: dueOrder({ ...due, dueAt: leaseEnds }), claim },
        add: { attempts: 1 },
      });
      if (taken) return taken;
      // The refusal may be by the own write, whose answer was lost.
      const now = await stored(deliveryId);
      return now?.claim === claim ? now : undefined;
    },

    /** Writes how a try ended. Returns false if the claim was lost: its lease ended, or the delivery was made due anew. */
    async record(delivery: Addressed, claim: string, tried: Tried): Promise<boolean> {
      const { status, error } = { error: undefined, ...tried };
      const ended = {
        lastStatus: status,
        lastError: error,
        ...('retryAt' in tried && dueAgain(delivery, tried.retryAt)),
        ...('deliveredAt' in tried && { deliveredAt: tried.deliveredAt }),
        ...('gaveUpAt' in tried && {
          gaveUpAt: tried.gaveUpAt,
          due: 'gave-up',
          dueOrder: gaveUpOrder(delivery, tried.gaveUpAt),
        }),
      };
      const written = await write(delivery.deliveryId, {
        when: [where('claim', '=', claim)],
        set: ended,
        remove: [
          'claim',
          ...('retryAt' in tried ? [] : ['dueAt']),
          ...('deliveredAt' in tried ? ['due', 'dueOrder'] : []),
          ...(status === undefined ? ['lastStatus'] : []),
          ...(error === undefined ? ['lastError'] : []),
        ],
      });
      return written !== undefined;
    },

    /** Makes a delivery due now, for a day. A process that sends it now loses the claim. Undefined: there is none. */
    redeliver(delivery: Addressed, now: number): Promise<Delivery | undefined> {
      return write(delivery.deliveryId, {
        when: [present('deliveryId')],
        set: { due: 'due', ...dueAgain(delivery, now), since: now, attempts: 0 },
        remove: ['claim', 'gaveUpAt'],
      });
    },

    /**
     * Rows of an owner's deliveries, or of everybody's, newest first; those of everybody are a query of each type. Eventually
     * consistent, as all rows are. @param before a place
     */
    async rows(owner: string | undefined, limit: number, before?: string): Promise<Page<ListedDelivery>> {
      if (owner !== undefined) return newest(owner, BY_OWNER, limit, before);
      const pages = await Promise.all(TYPES.map((type) => newest(type, BY_TYPE, limit, before)));
      const all = pages
        .flatMap(({ items }) => items)
        .toSorted((a, b) => (a.place === b.place ? 0 : a.place < b.place ? 1 : -1));
      const items = all.slice(0, limit);
      const isMore = all.length > limit || pages.some(({ cursor }) => cursor !== undefined);
      return { items, ...(isMore && { cursor: items.at(-1)!.place }) };
    },

    /**
     * Rows of those that are to be sent, the next first, or were given up, the latest first. Of an owner there may be fewer
     * than `limit`, and more behind them. @param behind a place
     */
    async rowsOf(
      due: NonNullable<Delivery['due']>,
      owner: string | undefined,
      limit: number,
      behind?: string,
    ): Promise<Page<ListedDelivery>> {
      const range = due === 'due' ? { after: behind } : { before: behind, backwards: true };
      const { rows, more } = await table.page({ index: 'byDue', partition: due, ...range }, limit);
      const places = rows.map(({ dueOrder }) => String(dueOrder));
      const tag = owner === undefined ? undefined : ownerTag(owner);
      const isOwn = (place: string) => tag === undefined || [undefined, tag].includes(readDue(place).owner);
      return {
        items: places.filter(isOwn).map((place) => ({ deliveryId: readDue(place).deliveryId, place })),
        ...(more && places.length > 0 && { cursor: places.at(-1)! }),
      };
    },

    /** In the order of the rows; those that are gone are left out. Strongly consistent. */
    async readListed(rows: readonly ListedDelivery[]): Promise<Delivery[]> {
      const keys = rows.map(({ deliveryId }) => ({ deliveryId }));
      const found = await table.readMany<Delivery>(keys, true);
      const byId = new Map(found.map((delivery) => [delivery.deliveryId, delivery]));
      return rows.flatMap(({ deliveryId }) => byId.get(deliveryId) ?? []);
    },

    /** An owner's deliveries, newest first. @param before a place, as is the cursor */
    async listOwner(owner: string, limit: number, before?: string): Promise<Page<Delivery>> {
      const { items, ...rest } = await this.rows(owner, limit, before);
      return { items: await this.readListed(items), ...rest };
    },
  };
}

function dueAgain(delivery: Addressed, dueAt: number): Pick<Delivery, 'dueAt' | 'dueOrder'> {
  return { dueAt, dueOrder: dueOrder(dueOf(delivery, dueAt)) };
}
