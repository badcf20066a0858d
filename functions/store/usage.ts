// The usage table: a day of an owner, as totals of the jobs that have ended and a reservation for each that has not. A
// reservation is set before its job is accepted and removed in the very write that adds the job to the totals, on the
// condition that it is there: so a repeated write counts once, and a process that dies in between leaves a
// reservation that the controller reconciles.

import {
  MAX_RESERVATIONS,
  type Reservation,
  type ReservedUsage,
  type Room,
  sum,
  type Totals,
  type Usage,
} from '../core/quota.ts';
import { absent, anyOf, type Attributes, type Engine, present, where } from './engine.ts';
import { SCHEMA_VERSION, usageTable } from './tables.ts';

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

/** An attribute for each reservation, since a map must exist before it is written into: `m<22 characters>`. */
function attributeOf({ jobId }: Reservation): string {
  return `m${Buffer.from(jobId.replaceAll('-', ''), 'hex').toString('base64url')}`;
}

function jobIdOf(attribute: string): string {
  const hex = Buffer.from(attribute.slice(1), 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export type UsageStore = ReturnType<typeof createUsage>;

function usageOf(item: Attributes): ReservedUsage {
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

export function createUsage(engine: Engine) {
  const table = engine.table(usageTable);

  async function readMany(keys: Pick<Usage, 'owner' | 'day'>[]): Promise<Usage[]> {
    const items = await table.readMany<Attributes>(keys, false, ['owner', 'day', ...Object.values(COUNTS)]);
    return items.map(usageOf);
  }

  return {
    /** With the reservations, strongly consistent. */
    async read(owner: string, day: string): Promise<ReservedUsage> {
      return usageOf((await table.read<Attributes>({ owner, day })) ?? { owner, day });
    },

    /** Without the reservations, eventually consistent. Those without an item are left out. */
    readMany,

    /** The same of one owner; a day without an item has zeros. */
    async readDays(owner: string, days: readonly string[]): Promise<Usage[]> {
      const keys = days.map((day) => ({ owner, day }));
      const found = new Map((await readMany(keys)).map((usage) => [usage.day, usage]));
      return keys.map((key) => found.get(key.day) ?? usageOf(key));
    },

    /**
     * Adds a reservation, once for a job however often it is asked for.
     * @returns the day after it; undefined: there is no room, or the reservation is there already (read it)
     */
    async reserve(
      owner: string,
      day: string,
      reservation: Reservation,
      room: Room,
    ): Promise<Usage | undefined> {
      const { images, at } = reservation;
      if (room.taken !== undefined && images > room.taken) return undefined;
      const attribute = attributeOf(reservation);
      const most = Math.min(room.uncommitted, MAX_RESERVATIONS);
      const written = await table.updateAndRead<Attributes>(
        { owner, day },
        {
          when: [
            absent(attribute),
            anyOf(absent('unsettled'), where('unsettled', '<', most)),
            ...(room.taken === undefined
              ? []
              : [anyOf(absent('taken'), where('taken', '<=', room.taken - images))]),
          ],
          set: {
            [attribute]: [images, at],
            open: 'open',
            expiresAt: Math.ceil(at / 1000) + KEPT_SECONDS,
            v: SCHEMA_VERSION,
          },
          add: { taken: images, unsettled: 1 },
        },
        'written',
      );
      return written && usageOf({ ...written, owner, day });
    },

    /**
     * Removes reservations and adds the totals of their jobs.
     * @param last the day as it was read has no other reservations: it leaves the index of open days
     * @returns false if a reservation was gone already, or with `last` another was added; nothing is written
     */
    commit(
      { owner, day }: Pick<Usage, 'owner' | 'day'>,
      committed: readonly { reservation: Reservation; totals: Totals }[],
      last: boolean,
    ): Promise<boolean> {
      const attributes = committed.map(({ reservation }) => attributeOf(reservation));
      const reserved = committed.reduce((so, { reservation }) => so + reservation.images, 0);
      const totals = sum(committed.map((one) => one.totals));
      return table.update(
        { owner, day },
        {
          when: [...attributes.map(present), ...(last ? [where('unsettled', '=', committed.length)] : [])],
          add: { taken: totals.images - reserved, unsettled: -committed.length, ...totals },
          remove: [...attributes, ...(last ? ['open'] : [])],
        },
      );
    },

    /** Days with reservations, the oldest first. Eventually consistent. */
    async listOpen(): Promise<Pick<Usage, 'owner' | 'day'>[]> {
      const found: Pick<Usage, 'owner' | 'day'>[] = [];
      for await (const rows of table.pages<Pick<Usage, 'owner' | 'day'>>({
        index: 'byOpen',
        partition: 'open',
      }))
        found.push(...rows);
      return found;
    },
  };
}
