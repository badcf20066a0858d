// Where an owner stands: each of its limits in force, and what it has used of it.

import { bucketOf, dayOf, endOfDay, endOfMonth, spending, sum } from '../../core/quota.ts';
import type { ApiDeps } from '../deps.ts';
import { createOwnerView, DAY } from './owner-view.ts';
import type { UploadQuota } from './upload-quota.ts';

export function createUsageView(deps: ApiDeps & { uploadQuota: Pick<UploadQuota, 'used'> }) {
  const poll = createOwnerView(deps);
  return async (name: string) => {
    const now = deps.now();
    const [owner, today, yesterday, days, stored] = await Promise.all([
      poll.owner(name, { fresh: true }),
      poll.standing(name, dayOf(now)),
      poll.standing(name, dayOf(now - DAY)),
      poll.month(name),
      deps.uploadQuota.used(name),
    ]);
    const { perMinute, maxWaiting, imagesPerDay, usdPerMonth, uploadBytes } = poll.limitsOf(owner);
    const bucket = perMinute === undefined ? undefined : bucketOf(owner.fullAt, perMinute, now);
    const taken = today.taken - today.released;
    const { usd, reservedUsd } = spending(days);
    const used = sum(days);
    return {
      own: owner,
      usage: {
        requests_per_minute: {
          limit: perMinute ?? null,
          remaining: bucket?.remaining ?? null,
          resets_at: bucket ? iso(now + bucket.fullIn) : null,
        },
        unfinished_jobs: {
          limit: maxWaiting ?? null,
          used: today.live + yesterday.live,
          remaining: left(maxWaiting, today.live + yesterday.live),
        },
        images_today: {
          limit: imagesPerDay ?? null,
          used: today.images,
          // Of jobs that have not ended.
          reserved: taken - today.images,
          remaining: left(imagesPerDay, taken),
          resets_at: iso(endOfDay(now)),
        },
        usd_this_month: {
          limit: usdPerMonth ?? null,
          used: usd,
          // What jobs cost is known when they have ended: the mean of those that have, for each that has not.
          estimated: reservedUsd,
          remaining: left(usdPerMonth, usd + reservedUsd),
          resets_at: iso(endOfMonth(now)),
        },
        upload_bytes: { limit: uploadBytes ?? null, used: stored, remaining: left(uploadBytes, stored) },
        this_month: { jobs: used.jobs, images: used.images, gpu_seconds: used.gpuMs / 1000 },
      },
    };
  };
}

const iso = (time: number) => new Date(time).toISOString();

function left(limit: number | undefined, used: number): number | null {
  return limit === undefined ? null : Math.max(0, limit - used);
}
