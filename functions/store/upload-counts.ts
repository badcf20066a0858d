// What an owner keeps of uploads, as one item of the usage table, under a day that does not exist. The bucket is the truth
// and is counted now and then; in between each upload adds its bytes before it is put, with a reservation until it is
// there. So uploads that begin at the same time see each other, and a process that dies in between leaves a reservation
// that the next count judges.

import type { UploadCount, UploadReservation } from '../core/upload-count.ts';
import { absent, type Attributes, type Engine, present, type Update, where } from './engine.ts';
import { SCHEMA_VERSION, usageTable } from './tables.ts';

const KEPT_SECONDS = 400 * 24 * 3600;
/** An attribute for each reservation. */
const RESERVATION = /^u[0-9a-f]{64}\.\w+$/;
const attributeOf = ({ name }: Pick<UploadReservation, 'name'>) => `u${name}`;

export type UploadCounts = ReturnType<typeof createUploadCounts>;

function countOf(owner: string, item: Attributes): UploadCount {
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

export function createUploadCounts(engine: Engine) {
  const table = engine.table(usageTable);
  const keyOf = (owner: string) => ({ owner, day: 'uploads' });
  const write = (owner: string, change: Update) => table.update(keyOf(owner), change);

  return {
    /** Strongly consistent. */
    async read(owner: string): Promise<UploadCount> {
      return countOf(owner, (await table.read<Attributes>(keyOf(owner))) ?? {});
    },

    /**
     * Adds an upload to the count.
     * @param countedSince ms; an older count is not used
     * @param limit bytes, with this upload
     * @returns false if there is no room by this count, it is too old, or the same upload has begun before
     */
    begin(
      owner: string,
      reservation: UploadReservation,
      countedSince: number,
      limit: number,
    ): Promise<boolean> {
      const { bytes, at } = reservation;
      if (bytes > limit) return Promise.resolve(false);
      const attribute = attributeOf(reservation);
      return write(owner, {
        when: [
          absent(attribute),
          where('countedAt', '>=', countedSince),
          where('bytes', '<=', limit - bytes),
        ],
        set: { [attribute]: [bytes, at] },
        add: { bytes, version: 1 },
      });
    },

    /** For the same upload again while it is under way. Returns false if it is not under way. */
    join(owner: string, reservation: UploadReservation): Promise<boolean> {
      const attribute = attributeOf(reservation);
      return write(owner, {
        when: [present(attribute)],
        set: { [attribute]: [reservation.bytes, reservation.at] },
      });
    },

    /** For an upload that is in the bucket: it is counted, and no longer reserved. */
    async done(owner: string, name: string): Promise<void> {
      const attribute = attributeOf({ name });
      await write(owner, { when: [present(attribute)], remove: [attribute] });
    },

    /**
     * Writes the result of a count of the bucket, with the uploads under way.
     * @param count as it was read before the bucket was counted
     * @param over reservations of uploads that came to nothing
     * @returns false if an upload has begun since the count was read: count again
     */
    replace(
      { owner, version }: UploadCount,
      bytes: number,
      at: number,
      over: readonly UploadReservation[],
    ): Promise<boolean> {
      return write(owner, {
        when: [version === 0 ? absent('version') : where('version', '=', version)],
        set: {
          bytes,
          countedAt: at,
          version: version + 1,
          expiresAt: Math.ceil(at / 1000) + KEPT_SECONDS,
          v: SCHEMA_VERSION,
        },
        remove: over.map(attributeOf),
      });
    },

    /** For an upload that was deleted: the count is too high, so the bucket is counted before the next upload. */
    async forget(owner: string): Promise<void> {
      await write(owner, { when: [present('countedAt')], set: { countedAt: 0 } });
    },
  };
}
