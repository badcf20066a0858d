// `npm run keys -- limits`: an owner's own limits, shown and set. What it does not say is as the API is set.

import { type Limit, LIMITS, type OwnLimits } from '../../core/quota.ts';
import type { Owners } from '../../store/owners.ts';
import { MAX_MARKS } from '../../store/usage.ts';
import { CommandError } from '../api.ts';

export const limitOptions = {
  'per-minute': { type: 'string' },
  unfinished: { type: 'string' },
  'images-per-day': { type: 'string' },
  'usd-per-month': { type: 'string' },
} as const;

type Flag = keyof typeof limitOptions;

const MEANING: Record<Flag, { limit: Limit; least: number; most?: number; whole: boolean }> = {
  'per-minute': { limit: 'perMinute', least: 1, most: 60_000, whole: true },
  unfinished: { limit: 'maxWaiting', least: 0, most: MAX_MARKS, whole: true },
  'images-per-day': { limit: 'imagesPerDay', least: 0, whole: true },
  'usd-per-month': { limit: 'usdPerMonth', least: 0, whole: false },
};
const FLAGS = Object.keys(MEANING) as Flag[];

/** @throws CommandError */
export function askedLimits(values: { [Name in Flag]?: string | undefined }): OwnLimits {
  const asked = FLAGS.flatMap((flag): [Limit, number | null | undefined][] => {
    const text = values[flag];
    if (text === undefined) return [];
    const { limit, least, most = Infinity, whole } = MEANING[flag];
    if (text === 'unlimited') return [[limit, null]];
    if (text === 'default') return [[limit, undefined]];
    const value = text.trim() === '' ? NaN : Number(text);
    const fits =
      value >= least && value <= most && (whole ? Number.isSafeInteger(value) : Number.isFinite(value));
    if (!fits)
      throw new CommandError(
        `--${flag} takes a ${whole ? 'whole ' : ''}number from ${least}${most === Infinity ? '' : ` to ${most}`}, "unlimited" or "default"; it is "${text}"`,
      );
    return [[limit, value]];
  });
  return Object.fromEntries(asked);
}

export async function limits(owners: Owners, owner: string, asked: OwnLimits): Promise<void> {
  const after =
    Object.keys(asked).length === 0 ? await owners.read(owner) : await owners.setLimits(owner, asked);
  const told = LIMITS.map((limit) => {
    const flag = FLAGS.find((one) => MEANING[one].limit === limit)!;
    const value = after[limit];
    return `${flag.padEnd(16)}${value === null ? 'unlimited' : (value ?? 'default')}\n`;
  });
  process.stdout.write(told.join(''));
}
