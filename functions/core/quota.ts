// An owner's limits and usage: requests a minute (a token bucket), unfinished jobs, images a day, dollars a month, bytes
// of uploads. Days and months in UTC. Pure: writes and their conditions are in store/owners.ts and usage.ts.

import { kindOfOutput } from './job-output.ts';
import { hasEnded, type JobState } from './job-state.ts';

/** Absent: unlimited. */
export interface OwnerLimits {
  perMinute?: number | undefined;
  maxWaiting?: number | undefined;
  imagesPerDay?: number | undefined;
  usdPerMonth?: number | undefined;
  uploadBytes?: number | undefined;
  /** The same for every owner, counted per process. */
  readsPerMinute?: number | undefined;
}

export const LIMITS = ['perMinute', 'maxWaiting', 'imagesPerDay', 'usdPerMonth', 'uploadBytes'] as const;
export type Limit = (typeof LIMITS)[number];

/** An owner's own limits: null is unlimited; absent takes the setting's. */
export type OwnLimits = { [Name in Limit]?: number | null };

/** The unit of upload limits in settings and flags. */
export const MB = 1024 * 1024;

export const DEFAULT_LIMITS = {
  perMinute: 120,
  readsPerMinute: 3000,
  maxWaiting: 1000,
  uploadBytes: 1000 * MB,
} as const satisfies OwnerLimits;

/** Reservations in one day's item: an item has at most 400 KB, a reservation about 45 bytes. */
export const MAX_RESERVATIONS = 5000;

/** An owner's limits in force. */
export function limitsOf(own: OwnLimits, defaults: OwnerLimits): OwnerLimits {
  return Object.fromEntries(
    LIMITS.map((name) => [name, own[name] === null ? undefined : (own[name] ?? defaults[name])]),
  );
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Whole ms until a token returns, so that sums in the table equal those computed here. */
export function tokenEvery(perMinute: number): number {
  return Math.ceil(MINUTE / perMinute);
}

const SKEW = MINUTE;

/** A stored time beyond this was written before the clock was set back, and is ignored. */
export function fullAtMost(perMinute: number, now: number): number {
  return now + perMinute * tokenEvery(perMinute) + SKEW;
}

/** A token bucket from its one stored value: when it will be full again (ms). A full one has a minute's tokens. */
export function bucketOf(fullAt: number | undefined, perMinute: number, now: number) {
  const every = tokenEvery(perMinute);
  const isOurs = fullAt !== undefined && fullAt <= fullAtMost(perMinute, now);
  const missing = isOurs ? Math.max(0, fullAt - now) : 0;
  return {
    remaining: Math.max(0, Math.floor((perMinute * every - missing) / every)),
    /** Ms until the next request is allowed; 0: now. */
    nextIn: Math.max(0, missing - (perMinute - 1) * every),
    /** Ms until it is full. */
    fullIn: missing,
  };
}

/** `2026-11-23` */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** The days of this month until now, in order. */
export function daysOfMonth(now: number): string[] {
  const today = dayOf(now);
  return Array.from(
    { length: Number(today.slice(8)) },
    (_, index) => `${today.slice(0, 8)}${String(index + 1).padStart(2, '0')}`,
  );
}

/** The next midnight in UTC, ms. */
export function endOfDay(now: number): number {
  return (Math.floor(now / DAY) + 1) * DAY;
}

/** The first of the next month in UTC, ms. */
export function endOfMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** A job that was accepted, or is about to be, and is not in its day's totals yet. */
export interface Reservation {
  jobId: string;
  /** The most that it may make. */
  images: number;
  /** ms */
  at: number;
}

/** A day of an owner. `taken`, `uncommitted` and the totals change only together with the reservations. */
export interface Usage {
  owner: string;
  day: string;
  /** Images made, and images reserved. */
  taken: number;
  /** The number of reservations. */
  uncommitted: number;
  /** Totals of the committed jobs; `costed` of them have a known cost. */
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

/** A reservation without a job is dropped after this: its acceptance has failed. */
export const RESERVATION_KEPT = 60 * MINUTE;
/** Minimum age of a job at commit: a repeated or late request could otherwise reserve and commit it again. */
export const COMMITTED_AFTER = 2 * MINUTE;

const NOTHING: Totals = { jobs: 0, images: 0, gpuMs: 0, costMicroUsd: 0, costed: 0 };

/**
 * What an ended job adds to its day. A job cancelled after its start counts the images that it reserved; otherwise
 * cancelling in time would evade the limit.
 * @param reserved images
 */
export function totalsOf(state: JobState, reserved: number): Totals {
  const begun = state.status === 'cancelled' && state.startedAt !== undefined;
  const files = (state.outputs ?? []).filter((output) => kindOfOutput(output) !== 'text');
  const made = state.status === 'completed' ? files.length : 0;
  return {
    jobs: 1,
    images: begun ? reserved : made,
    gpuMs: state.gpuMs ?? 0,
    costMicroUsd: state.costMicroUsd ?? 0,
    costed: state.costMicroUsd === undefined ? 0 : 1,
  };
}

/**
 * What a reservation adds to its day's totals when it is committed. Undefined: it is kept.
 * @param state undefined: there is no such job; @param now ms
 */
export function committedTotals(
  reservation: Reservation,
  day: string,
  state: JobState | undefined,
  now: number,
): Totals | undefined {
  if (!state) return now - reservation.at >= RESERVATION_KEPT ? NOTHING : undefined;
  // Reserved on one day and accepted, by a repetition, on another: it counts on the day of its acceptance.
  if (dayOf(state.createdAt) !== day) return NOTHING;
  if (!hasEnded(state) || now - state.createdAt < COMMITTED_AFTER) return undefined;
  // Its host has not written its GPU time yet.
  const isAwaited =
    state.status === 'cancelled' && state.startedAt !== undefined && state.gpuMs === undefined;
  if (isAwaited && now - (state.endedAt ?? 0) < COMMITTED_AFTER) return undefined;
  return totalsOf(state, reservation.images);
}

/** A day's usage now: its reservations compared with their jobs, and how far the stored counts are ahead. */
export interface Standing extends Usage {
  /** Jobs that have not ended, or are being accepted. */
  live: number;
  /** Reservations of ended jobs. */
  over: number;
  /** Images that those reserved and did not make. */
  released: number;
}

/** @param states by job id; a job that is missing counts as live */
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

/** A reservation whose job was not accepted: it adds nothing. */
export function unused(reservation: Reservation): { reservation: Reservation; totals: Totals } {
  return { reservation, totals: NOTHING };
}

/** Adds totals field by field. */
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
 * Dollars of a month. An unfinished job counts the mean cost of the finished ones; before any has finished, nothing.
 */
export function spending(days: readonly Usage[]) {
  const { costMicroUsd, costed } = sum(days);
  const uncommitted = days.reduce((so, { uncommitted: reservations }) => so + reservations, 0);
  const each = costed === 0 ? 0 : costMicroUsd / costed;
  return { usd: costMicroUsd / 1e6, reservedUsd: (uncommitted * each) / 1e6, usdPerJob: each / 1e6 };
}
