// What TTL and the bucket's lifecycle do on AWS: what is older than it is kept goes, by its age alone.

import { JOB_KEPT, uploadRenewal } from '../core/limits.ts';
import type { Images } from '../images/images.ts';
import type { Log } from '../log.ts';
import type { Lived } from '../core/lived-time.ts';
import type { Deliveries } from '../store/deliveries.ts';
import type { Jobs } from '../store/jobs.ts';

export interface RetentionDeps {
  jobs: Jobs;
  deliveries: Deliveries;
  images: Images;
  log: Log;
  now(): number;
  /** Milliseconds. */
  keep: number;
  lived: Lived;
}

const DELETED_TOGETHER = 1000;
const SECOND = 1000;
const HOUR = 60 * 60 * SECOND;

/** Ms between two rounds: often enough that what is kept too long is a hundredth of what is kept. */
export function retentionPeriod(keep: number): number {
  return Math.min(HOUR, Math.max(SECOND, keep / 100));
}

/** In what a round passes over, since the clock was set or the machine slept, nothing grows old. */
export async function applyRetention({
  jobs,
  deliveries,
  images,
  log,
  now,
  keep,
  lived,
}: RetentionDeps): Promise<void> {
  lived.begins(now());
  const ages = {
    'images/': keep,
    'graphs/': keep,
    // A use makes an upload young again only after a while.
    'uploads/': keep + uploadRenewal(keep),
  };
  let objects = 0;
  for (const [prefix, age] of Object.entries(ages)) {
    let old: string[] = [];
    for await (const { key, lastModified } of images.list(prefix)) {
      const at = lastModified.getTime();
      if (now() - at - lived.skipped(at) <= age) continue;
      old.push(key);
      if (old.length < DELETED_TOGETHER) continue;
      await images.delete(old);
      objects += old.length;
      old = [];
    }
    if (old.length > 0) await images.delete(old);
    objects += old.length;
  }
  // All that such an item may have lived through.
  const asOf = now() - lived.skipped(now() - 2 * Math.max(keep, JOB_KEPT));
  const items = (await jobs.removeExpired(asOf)) + (await deliveries.removeExpired(asOf));
  lived.ended(now());
  if (objects + items > 0) log.info('retention.applied', { objects, items });
}
