// `npm run keys -- limits`: shows and sets an owner's own limits. A limit that is not set has the API's default.

import { type Limit, LIMITS, MAX_RESERVATIONS, MB, type OwnLimits } from '../../core/quota.ts';
import type { Owners } from '../../store/owners.ts';
import { flag, flagOf, type Kind, number } from '../flags.ts';

/** null: unlimited. */
type Said = number | null | 'default';

const said = ({ must, read }: Kind<number>): Kind<Said> => ({
  must: `${must}, "unlimited" or "default"`,
  read: (text) => (text === 'unlimited' ? null : text === 'default' ? text : read(text)),
});
const limit = (kind: Kind<number>, means: string) => flag(said(kind), 'N', means, { of: ['limits'] });

export const limitFlags = {
  perMinute: limit(number(1, 60_000, true), 'requests a minute'),
  unfinished: limit(number(0, MAX_RESERVATIONS, true), 'jobs that wait or run'),
  imagesPerDay: limit(number(0, Infinity, true), 'images a day'),
  usdPerMonth: limit(number(0), 'dollars a month of GPU time'),
  uploadMb: limit(number(0, 1_000_000_000, true), 'MB of uploads that are kept'),
};

type Name = keyof typeof limitFlags;
const NAMES = Object.keys(limitFlags) as Name[];
const LIMIT_OF: Record<Name, Limit> = {
  perMinute: 'perMinute',
  unfinished: 'maxWaiting',
  imagesPerDay: 'imagesPerDay',
  usdPerMonth: 'usdPerMonth',
  uploadMb: 'uploadBytes',
};
/** Stored units per unit of the flag. */
const unitOf = (name: Name) => (name === 'uploadMb' ? MB : 1);

export function askedLimits(given: { [One in Name]?: Said | undefined }): OwnLimits {
  const asked = NAMES.flatMap((name): [Limit, number | null | undefined][] => {
    const value = given[name];
    if (value === undefined) return [];
    const stored = typeof value === 'number' ? value * unitOf(name) : value === null ? null : undefined;
    return [[LIMIT_OF[name], stored]];
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
  const lines = LIMITS.map((limit) => {
    const name = NAMES.find((one) => LIMIT_OF[one] === limit)!;
    const value = after[limit];
    const shown = value === null ? 'unlimited' : value === undefined ? 'default' : value / unitOf(name);
    return `${flagOf(name).slice(2).padEnd(16)}${shown}\n`;
  });
  process.stdout.write(lines.join(''));
  if (typeof asked.usdPerMonth === 'number' && unpriced.length > 0)
    process.stderr.write(
      `A limit in dollars counts no job on ${unpriced.join(', ')}: usdPerHour in cdk.json has no price there. npm run doctor prints AWS's.\n`,
    );
}
