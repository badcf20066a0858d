// An owner's limits where its item sets none; they apply only with API keys.

import * as z from 'zod/mini';
import { DEFAULT_LIMITS, MAX_RESERVATIONS, MB, type OwnerLimits } from '../core/quota.ts';
import { setting, type SettingsOf } from './setting.ts';
import { whole } from './values.ts';

const KEYS = 'npm run keys -- limits --owner alice';

export const ownerLimits = {
  RATE_PER_MINUTE: setting(
    z._default(whole(1, 60_000), DEFAULT_LIMITS.perMinute),
    'must be a whole number from 1 to 60000',
    `with keys: what each owner may ask for in a minute; one owner’s own, as of all these: \`${KEYS} --per-minute 500\``,
  ),
  READS_PER_MINUTE: setting(
    z._default(whole(1, 60_000), DEFAULT_LIMITS.readsPerMinute),
    'must be a whole number from 1 to 60000',
    'with keys: what each owner may read, cancel and remove in a minute, counted by each process of the API',
  ),
  OWNER_MAX_WAITING: setting(
    z._default(whole(0, MAX_RESERVATIONS), DEFAULT_LIMITS.maxWaiting),
    `must be a whole number of jobs from 0 to ${MAX_RESERVATIONS}`,
    'with keys: jobs of an owner that have not ended',
  ),
  IMAGES_PER_DAY: setting(
    z.optional(whole(0)),
    'must be a whole number of images from 0',
    'with keys: images of an owner in a day',
    { otherwise: 'unlimited' },
  ),
  USD_PER_MONTH: setting(
    z.optional(z.coerce.number().check(z.minimum(0))),
    'must be a number of US dollars from 0',
    'with keys: what jobs of an owner may cost in a month',
    { otherwise: 'unlimited' },
  ),
  OWNER_UPLOAD_MB: setting(
    z._default(whole(0, 1_000_000_000), DEFAULT_LIMITS.uploadBytes / MB),
    'must be a whole number of MB from 0 to 1000000000',
    'with keys: what each owner may keep of uploads, in MB',
  ),
};

/** The settings in the form that the API uses. */
export function ownerLimitsOf(settings: SettingsOf<typeof ownerLimits>): OwnerLimits {
  return {
    perMinute: settings.RATE_PER_MINUTE,
    readsPerMinute: settings.READS_PER_MINUTE,
    maxWaiting: settings.OWNER_MAX_WAITING,
    imagesPerDay: settings.IMAGES_PER_DAY,
    usdPerMonth: settings.USD_PER_MONTH,
    uploadBytes: settings.OWNER_UPLOAD_MB * MB,
  };
}
