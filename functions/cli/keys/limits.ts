// `npm run keys -- limits`: an owner's own limits, shown and set. What it does not say is as the API is set.

import { type Limit, LIMITS, MAX_RESERVATIONS, MB, type OwnLimits } from '../../core/quota.ts';
import type { Owners } from '../../store/owners.ts';
import { CommandError } from '../api.ts';

export const limitOptions = {
  'per-minute': { type: 'string' },
  unfinished: { type: 'string' },
  'images-per-day': { type: 'string' },
  'usd-per-month': { type: 'string' },
  'upload-mb': { type: 'string' },
} as const;

type Flag = keyof typeof limitOptions;

/** `unit`: of what the flag says, in what is stored; else 1. */
interface Meaning {
  limit: Limit;
  least: number;
  most?: number;
  whole: boolean;
  unit?: number;
}

const MEANING: Record<Flag, Meaning> = {
  'per-minute': { limit: 'perMinute', least: 1, most: 60_000, whole: true },
  unfinished: { limit: 'maxWaiting', least: 0, most: MAX_RESERVATIONS, whole: true },
  'images-per-day': { limit: 'imagesPerDay', least: 0, whole: true },
  'usd-per-month': { limit: 'usdPerMonth', least: 0, whole: false },
  'upload-mb': { limit: 'uploadBytes', least: 0, most: 1_000_000_000, whole: true, unit: MB },
};
const FLAGS = Object.keys(MEANING) as Flag[];

/** @throws CommandError */
export function askedLimits(values: { [Name in Flag]?: string | undefined }): OwnLimits {
  const asked = FLAGS.flatMap((flag): [Limit, number | null | undefined][] => {
    const text = values[flag];
    if (text === undefined) return [];
    const { limit, least, most = Infinity, whole, unit = 1 } = MEANING[flag];
    if (text === 'unlimited') return [[limit, null]];
    if (text === 'default') return [[limit, undefined]];
    const value = text.trim() === '' ? NaN : Number(text);
    const fits =
      value >= least && value <= most && (whole ? Number.isSafeInteger(value) : Number.isFinite(value));
    if (!fits)
      throw new CommandError(
        `--${flag} takes a ${whole ? 'whole ' : ''}number from ${least}${most === Infinity ? '' : ` to ${most}`}, "unlimited" or "default"; it is "${text}"`,
      );
    return [[limit, value * unit]];
  });
  return Object.fromEntries(asked);
}

/** @param unpriced instance types whose jobs no limit in dollars counts */
export async function limits(
  owners: Owners,
  owner: string,
  asked: OwnLimits,
  unpriced: readonly string[],
): Promise<void> {
  const after =
    Object.keys(asked).length === 0 ? await owners.read(owner) : await owners.setLimits(owner, asked);
  const told = LIMITS.map((limit) => {
    const flag = FLAGS.find((one) => MEANING[one].limit === limit)!;
    const value = after[limit];
    const { unit = 1 } = MEANING[flag];
    const told = value === null ? 'unlimited' : value === undefined ? 'default' : value / unit;
    return `${flag.padEnd(16)}${told}\n`;
  });
  process.stdout.write(told.join(''));
  if (typeof asked.usdPerMonth === 'number' && unpriced.length > 0)
    process.stderr.write(
      `A limit in dollars counts no job on ${unpriced.join(', ')}: usdPerHour in cdk.json has no price there. npm run doctor prints AWS's.\n`,
    );
}
