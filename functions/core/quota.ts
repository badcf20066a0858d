// What an owner may use, and what it has used: requests a minute (a token bucket), jobs that have not ended, images a
// day, dollars a month, bytes of uploads. Days and months are UTC's. Pure: writes and their conditions stand in store/owners.ts, usage.ts.

import { hasEnded, type JobState } from './job-state.ts';

/** Absent: unlimited. */
export interface OwnerLimits {
  perMinute?: number | undefined;
  maxWaiting?: number | undefined;
  imagesPerDay?: number | undefined;
  usdPerMonth?: number | undefined;
  uploadBytes?: number | undefined;
  /** The same for every owner, and of one process. */
  readsPerMinute?: number | undefined;
}

export const LIMITS = ['perMinute', 'maxWaiting', 'imagesPerDay', 'usdPerMonth', 'uploadBytes'] as const;
export type Limit = (typeof LIMITS)[number];

/** An owner's own: null is unlimited, absent is the setting's. */
export type OwnLimits = { [Name in Limit]?: number | null };

/** In which settings and flags say how many bytes of uploads. */
export const MB = 1024 * 1024;

export const DEFAULT_LIMITS = {
  perMinute: 120,
  readsPerMinute: 3000,
  maxWaiting: 1000,
  uploadBytes: 1000 * MB,
} as const satisfies OwnerLimits;

/** Jobs of a day that an owner may have unfinished: an item has at most 400 KB, a mark about 45 bytes. */
export const MAX_RESERVATIONS = 5000;

export function limitsOf(own: OwnLimits, defaults: OwnerLimits): OwnerLimits {
  return Object.fromEntries(
    LIMITS.map((name) => [name, own[name] === null ? undefined : (own[name] ?? defaults[name])]),
  );
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Ms that a token takes to come back: whole ones, so that they add up in the table as here. */
export function tokenEvery(perMinute: number): number {
  return Math.ceil(MINUTE / perMinute);
}

const SKEW = MINUTE;

/** Moments further ahead are none of a bucket's: they were written before the clock was set back. */
export function fullAtMost(perMinute: number, now: number): number {
  return now + perMinute * tokenEvery(perMinute) + SKEW;
}

/** The bucket by the one moment that is stored: when it will be full again. A full one has a minute's tokens. */
export function bucketOf(fullAt: number | undefined, perMinute: number, now: number) {
  const every = tokenEvery(perMinute);
  const isOurs = fullAt !== undefined && fullAt <= fullAtMost(perMinute, now);
  const missing = isOurs ? Math.max(0, fullAt - now) : 0;
  return {
    remaining: Math.max(0, Math.floor((perMinute * every - missing) / every)),
    /** Ms until a request is let in; 0: now. */
    nextIn: Math.max(0, missing - (perMinute - 1) * every),
    /** Ms until it is full. */
    fullIn: missing,
  };
}

/** `2026-11-23` */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** Those of this month until now, the first one first. */
export function daysOfMonth(now: number): string[] {
  const today = dayOf(now);
  return Array.from(
    { length: Number(today.slice(8)) },
    (_, index) => `${today.slice(0, 8)}${String(index + 1).padStart(2, '0')}`,
  );
}

export function endOfDay(now: number): number {
  return (Math.floor(now / DAY) + 1) * DAY;
}

export function endOfMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** A job that was accepted, or is about to be, and is not in the totals yet. */
export interface Reservation {
  jobId: string;
  /** That it may make. */
  images: number;
  /** ms */
  at: number;
}

/** A day of an owner. `taken`, `unsettled` and the totals change only together with the marks. */
export interface Usage {
  owner: string;
  day: string;
  /** Images made, and those that marked jobs may make. */
  taken: number;
  /** How many marks. */
  uncommitted: number;
  /** Of the jobs that have ended; `costed` of them have told their cost. */
  jobs: number;
  images: number;
  gpuMs: number;
  costMicroUsd: number;
  costed: number;
}

export interface ReservedUsage extends Usage {
  reservations: Reservation[];
}

/** What one day may not exceed; absent: no limit. */
export interface Room {
  taken?: number | undefined;
  uncommitted: number;
}

export type Totals = Pick<Usage, 'jobs' | 'images' | 'gpuMs' | 'costMicroUsd' | 'costed'>;

/** A mark without a job: whoever made it died, or will in a moment. */
export const RESERVATION_KEPT = 60 * MINUTE;
/** A repeated or late request that marks a job comes before this age of it: an earlier fold could be done twice. */
export const COMMITTED_AFTER = 2 * MINUTE;

const NOTHING: Totals = { jobs: 0, images: 0, gpuMs: 0, costMicroUsd: 0, costed: 0 };

/**
 * What a job that has ended adds to its day. One that was cancelled after its start counts the images that it was to make:
 * else a limit of images is none for whoever cancels in time.
 * @param reserved that it was to make
 */
export function totalsOf(state: JobState, reserved: number): Totals {
  const begun = state.status === 'cancelled' && state.startedAt !== undefined;
  const made = state.status === 'completed' ? (state.images?.length ?? 0) : 0;
  return {
    jobs: 1,
    images: begun ? reserved : made,
    gpuMs: state.gpuMs ?? 0,
    costMicroUsd: state.costMicroUsd ?? 0,
    costed: state.costMicroUsd === undefined ? 0 : 1,
  };
}

/**
 * What a mark adds to its day's totals when it goes. Undefined: it stays.
 * @param state undefined: there is no such job
 */
export function committedTotals(
  reservation: Reservation,
  day: string,
  state: JobState | undefined,
  now: number,
): Totals | undefined {
  if (!state) return now - reservation.at >= RESERVATION_KEPT ? NOTHING : undefined;
  // Begun on one day and accepted, by a repetition, on another: it counts on the day of its acceptance.
  if (dayOf(state.createdAt) !== day) return NOTHING;
  if (!hasEnded(state) || now - state.createdAt < COMMITTED_AFTER) return undefined;
  // Its host has still to say what it took of a GPU.
  const isAwaited =
    state.status === 'cancelled' && state.startedAt !== undefined && state.gpuMs === undefined;
  if (isAwaited && now - (state.endedAt ?? 0) < COMMITTED_AFTER) return undefined;
  return totalsOf(state, reservation.images);
}

/** A day with its marks against the jobs behind them: what is used now, and by how much the counts are ahead of it. */
export interface Standing extends Usage {
  /** Jobs that have not ended, or are just being accepted. */
  live: number;
  /** Marks of jobs that have ended. */
  over: number;
  /** Images that those have reserved and not made. */
  released: number;
}

export function standingOf(
  { reservations, ...usage }: ReservedUsage,
  states: ReadonlyMap<string, JobState>,
): Standing {
  const ended = reservations.flatMap((reservation) => {
    const state = states.get(reservation.jobId);
    return state && hasEnded(state) ? [{ reservation, totals: totalsOf(state, reservation.images) }] : [];
  });
  const reserved = ended.reduce((so, { reservation }) => so + reservation.images, 0);
  const totals = sum([usage, ...ended.map((one) => one.totals)]);
  return {
    ...usage,
    ...totals,
    live: reservations.length - ended.length,
    over: ended.length,
    released: reserved - sum(ended.map((one) => one.totals)).images,
  };
}

/** Nothing: a reservation that came to nothing. */
export function unused(reservation: Reservation): { reservation: Reservation; totals: Totals } {
  return { reservation, totals: NOTHING };
}

export function sum(parts: readonly Totals[]): Totals {
  const total = (name: keyof Totals) => parts.reduce((so, part) => so + part[name], 0);
  return {
    jobs: total('jobs'),
    images: total('images'),
    gpuMs: total('gpuMs'),
    costMicroUsd: total('costMicroUsd'),
    costed: total('costed'),
  };
}

/**
 * Dollars of a month. What a job costs is known when it has ended: for one that has not, the mean of those that have is
 * taken; before any has, nothing.
 */
export function spending(days: readonly Usage[]) {
  const { costMicroUsd, costed } = sum(days);
  const uncommitted = days.reduce((so, { uncommitted: reservations }) => so + reservations, 0);
  const each = costed === 0 ? 0 : costMicroUsd / costed;
  return { usd: costMicroUsd / 1e6, reservedUsd: (uncommitted * each) / 1e6, usdPerJob: each / 1e6 };
}
