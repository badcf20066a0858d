// What one API process knows of owners: their limits and buckets, remembered for half a minute, and what they have used.

import type { Owner } from '../../core/owner.ts';
import { createCache } from '../../core/cache.ts';
import {
  daysOfMonth,
  DEFAULT_LIMITS,
  limitsOf,
  type Reservation,
  type OwnerLimits,
  type Standing,
  standingOf,
  type Usage,
} from '../../core/quota.ts';
import type { ApiDeps } from '../deps.ts';

export const DAY = 24 * 3_600_000;
/** A limit that was set anew acts by then. */
const REMEMBERED = 30_000;
/** Dollars are as fresh as this, and yesterday's jobs. */
const COUNTED_EVERY = 10_000;
/** An owner at a limit that asks again and again: its jobs are read so often. */
const STANDING_EVERY = 1000;

export interface MarkedStanding extends Standing {
  reservations: Reservation[];
}

export interface OwnerView {
  owner(name: string, how?: { fresh: boolean }): Promise<Owner>;
  know(owner: Owner): void;
  limitsOf(owner: Owner): OwnerLimits;
  uncommittedOn(name: string, day: string): Promise<number>;
  /** The days of this month until today. */
  month(name: string): Promise<Usage[]>;
  /** Was it asked for a moment ago? */
  hasStanding(name: string, day: string): boolean;
  /** A day against its jobs: exact, as of a second ago. */
  standing(name: string, day: string, how?: { fresh: boolean }): Promise<MarkedStanding>;
}

export function createOwnerView({ owners, usage, jobs, now, settings }: ApiDeps): OwnerView {
  const defaults = settings.ownerLimits ?? DEFAULT_LIMITS;
  const known = createCache<Owner>({ now, freshFor: () => REMEMBERED });
  const counted = createCache<Usage[]>({ now, freshFor: () => COUNTED_EVERY });
  const standings = createCache<MarkedStanding>({ now, freshFor: () => STANDING_EVERY });

  const readDays = (name: string, days: string[]) =>
    counted.get(`${name} ${days[0]} ${days.length}`, () => usage.readDays(name, days));

  return {
    owner(name, { fresh } = { fresh: false }) {
      if (fresh) known.forget(name);
      return known.get(name, () => owners.read(name));
    },

    know: (owner) => known.set(owner.owner, owner),

    limitsOf: (owner) => limitsOf(owner, defaults),

    async uncommittedOn(name, day) {
      return (await readDays(name, [day]))[0]!.uncommitted;
    },

    month: (name) => readDays(name, daysOfMonth(now())),

    hasStanding: (name, day) => standings.has(`${name} ${day}`),

    standing(name, day, { fresh } = { fresh: false }) {
      if (fresh) standings.forget(`${name} ${day}`);
      return standings.get(`${name} ${day}`, async () => {
        const read = await usage.read(name, day);
        const states = await jobs.readStates(
          read.reservations.map(({ jobId }) => jobId),
          { consistent: false },
        );
        const standing = standingOf(read, new Map(states.map((state) => [state.jobId, state])));
        return { ...standing, reservations: read.reservations };
      });
    },
  };
}
