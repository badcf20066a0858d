// An owner's own limits as people say them: by the same names, bounds and units in `npm run keys -- limits` and in the operators'
// routes. Pure.

import { type Limit, MAX_RESERVATIONS, MB, type OwnLimits } from './quota.ts';

export const UNLIMITED = 'unlimited';
/** What the API is set to applies. */
export const DEFAULT = 'default';
export const LIMIT_WORDS = [UNLIMITED, DEFAULT] as const;

export type SaidLimit = number | (typeof LIMIT_WORDS)[number];

interface Said {
  limit: Limit;
  least: number;
  most: number;
  whole: boolean;
  means: string;
  /** Stored units in one of these. */
  unit: number;
}

const of = (limit: Limit, means: string, more: Partial<Said>): Said => ({
  limit,
  means,
  least: 0,
  most: Infinity,
  whole: true,
  unit: 1,
  ...more,
});

export const OWN_LIMITS = {
  requests_per_minute: of('perMinute', 'requests a minute', { least: 1, most: 60_000 }),
  unfinished_jobs: of('maxWaiting', 'jobs that wait or run', { most: MAX_RESERVATIONS }),
  images_per_day: of('imagesPerDay', 'images a day', {}),
  usd_per_month: of('usdPerMonth', 'dollars a month of GPU time', { whole: false }),
  upload_mb: of('uploadBytes', 'MB of uploads that are kept', { most: 1_000_000_000, unit: MB }),
};
export type LimitName = keyof typeof OWN_LIMITS;
export const LIMIT_NAMES = Object.keys(OWN_LIMITS) as LimitName[];

/** Completes "… must" for what is none. */
export function limitMust(name: LimitName): string {
  const { least, most, whole } = OWN_LIMITS[name];
  const upTo = most === Infinity ? '' : ` to ${most}`;
  return `be a ${whole ? 'whole ' : ''}number from ${least}${upTo}, "${UNLIMITED}" or "${DEFAULT}"`;
}

/** Undefined: it is none. */
export function readLimit(name: LimitName, value: unknown): SaidLimit | undefined {
  const word = LIMIT_WORDS.find((one) => one === value);
  if (word !== undefined || typeof value !== 'number') return word;
  const { least, most, whole } = OWN_LIMITS[name];
  const fits = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  return fits && value >= least && value <= most ? value : undefined;
}

/** As they are stored; those that are not said are left out. */
export function ownLimitsOf(said: { [Name in LimitName]?: SaidLimit | undefined }): OwnLimits {
  const named = LIMIT_NAMES.flatMap((name): [Limit, number | null | undefined][] => {
    const value = said[name];
    const { limit, unit } = OWN_LIMITS[name];
    if (value === undefined) return [];
    return [[limit, typeof value === 'number' ? value * unit : value === UNLIMITED ? null : undefined]];
  });
  return Object.fromEntries(named);
}

/** One of those that are stored, as people say it. */
export function saidLimit(name: LimitName, own: OwnLimits): SaidLimit {
  const { limit, unit } = OWN_LIMITS[name];
  const value = own[limit];
  return value === undefined ? DEFAULT : value === null ? UNLIMITED : value / unit;
}
