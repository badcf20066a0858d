// `npm run keys -- limits`: shows and sets an owner's own limits. A limit that is not set has the API's default.

import {
  LIMIT_NAMES,
  LIMIT_WORDS,
  type LimitName,
  limitMust,
  OWN_LIMITS,
  ownLimitsOf,
  readLimit,
  type SaidLimit,
  saidLimit,
} from '../../core/own-limits.ts';
import type { OwnLimits } from '../../core/quota.ts';
import type { Owners } from '../../store/owners.ts';
import { flag, flagOf, type Kind } from '../flags.ts';

const isWord = (text: string) => LIMIT_WORDS.some((word) => word === text);
const said = (name: LimitName): Kind<SaidLimit> => ({
  must: limitMust(name),
  read: (text) => readLimit(name, isWord(text) ? text : text.trim() === '' ? undefined : Number(text)),
});
const limit = (name: LimitName) => flag(said(name), 'N', OWN_LIMITS[name].means, { of: ['limits'] });

export const limitFlags = {
  perMinute: limit('requests_per_minute'),
  unfinished: limit('unfinished_jobs'),
  imagesPerDay: limit('images_per_day'),
  usdPerMonth: limit('usd_per_month'),
  uploadMb: limit('upload_mb'),
};

type Flag = keyof typeof limitFlags;
const FLAG_OF: Record<LimitName, Flag> = {
  requests_per_minute: 'perMinute',
  unfinished_jobs: 'unfinished',
  images_per_day: 'imagesPerDay',
  usd_per_month: 'usdPerMonth',
  upload_mb: 'uploadMb',
};

export function askedLimits(given: { [One in Flag]?: SaidLimit | undefined }): OwnLimits {
  return ownLimitsOf(Object.fromEntries(LIMIT_NAMES.map((name) => [name, given[FLAG_OF[name]]])));
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
  const lines = LIMIT_NAMES.map(
    (name) => `${flagOf(FLAG_OF[name]).slice(2).padEnd(16)}${saidLimit(name, after)}\n`,
  );
  process.stdout.write(lines.join(''));
  if (typeof asked.usdPerMonth === 'number' && unpriced.length > 0)
    process.stderr.write(
      `A limit in dollars counts no job on ${unpriced.join(', ')}: usdPerHour in cdk.json has no price there. npm run doctor prints AWS's.\n`,
    );
}
