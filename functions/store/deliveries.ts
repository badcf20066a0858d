// The deliveries table: one item for the webhook of one job, from the job's end on. A sender claims a delivery by moving
// the time at which it is due: of two processes one sends, and if that one dies the other sends after the lease.

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
import { absent, type Engine, present, type Update, where } from './engine.ts';
import { listOfOwner, type Page } from './page.ts';
import { deliveriesTable } from './tables.ts';

/** What is due, as far as it was read. */
export interface DueNow {
  due: Due[];
  /** There may be more. */
  more: boolean;
  /** When the next will be due, ms; undefined: none, or it was not read. */
  nextDue?: number;
}

const BY_OWNER = { index: 'byOwner', order: 'ownerOrder' };

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
        ...('deliveredAt' in tried && { deliveredAt: tried.deliveredAt }),
        ...('gaveUpAt' in tried && { gaveUpAt: tried.gaveUpAt }),
      };
      const written = await write(delivery.deliveryId, {
        when: [where('claim', '=', claim)],
        set: 'retryAt' in tried ? { ...ended, ...dueAgain(delivery, tried.retryAt) } : ended,
        remove: [
          'claim',
          ...('retryAt' in tried ? [] : ['due', 'dueOrder', 'dueAt']),
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
     * An owner's deliveries, newest first; the rows are eventually consistent.
     * @param before a place, as `ownerOrder` has it; so is the cursor
     */
    async listOwner(owner: string, limit: number, before?: string): Promise<Page<Delivery>> {
      const { items: rows, ...rest } = await listOfOwner<Pick<Delivery, 'deliveryId' | 'ownerOrder'>>(
        table,
        owner,
        limit,
        { by: BY_OWNER, before },
      );
      const keys = rows.map(({ deliveryId }) => ({ deliveryId }));
      const found = await table.readMany<Delivery>(keys, true);
      const byId = new Map(found.map((delivery) => [delivery.deliveryId, delivery]));
      return { items: rows.flatMap(({ deliveryId }) => byId.get(deliveryId) ?? []), ...rest };
    },
  };
}

function dueAgain(delivery: Addressed, dueAt: number): Pick<Delivery, 'dueAt' | 'dueOrder'> {
  return { dueAt, dueOrder: dueOrder(dueOf(delivery, dueAt)) };
}
