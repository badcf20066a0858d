// Local counterpart of TTL and the bucket's lifecycle on AWS: deletes items and objects by age alone.

import { JOB_KEPT, uploadRenewal } from '../core/limits.ts';
import type { FolderImages } from '../images/folder/images.ts';
import type { Log } from '../log.ts';
import type { Lived } from '../core/lived-time.ts';

export interface RetentionDeps {
  /** Removes the items of the tables that have expired at a time, ms. @returns how many they were */
  removeExpired(asOf: number): Promise<number>;
  images: Pick<FolderImages, 'removeOld'>;
  log: Log;
  now(): number;
  /** How long jobs and images are kept, ms. */
  keep: number;
  lived: Lived;
}

const SECOND = 1000;
const HOUR = 60 * 60 * SECOND;

/** Ms between two rounds: a hundredth of the time that jobs are kept, so that none is kept much longer. */
export function retentionPeriod(keep: number): number {
  return Math.min(HOUR, Math.max(SECOND, keep / 100));
}

/** Deletes what has expired. Time that no round saw, because the clock was set or the machine slept, adds to no age. */
export async function applyRetention({
  removeExpired,
  images,
  log,
  now,
  keep,
  lived,
}: RetentionDeps): Promise<void> {
  lived.begins(now());
  const ages = {
    'images/': keep,
    'derived/': keep,
    'graphs/': keep,
    // An upload's date is renewed at most once per `uploadRenewal`, so its last use may be that much later.
    'uploads/': keep + uploadRenewal(keep),
  };
  let objects = 0;
  for (const [prefix, age] of Object.entries(ages))
    objects += await images.removeOld(prefix, (at) => now() - at - lived.skipped(at) > age);
  // The skipped time counts from the earliest date that an expired item may have.
  const asOf = now() - lived.skipped(now() - 2 * Math.max(keep, JOB_KEPT));
  const items = await removeExpired(asOf);
  lived.ended(now());
  if (objects + items > 0) log.info('retention.applied', { objects, items });
}
