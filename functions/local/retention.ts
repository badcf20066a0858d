// What TTL and the bucket's lifecycle do on AWS: what is older than it is kept goes, by its age alone.

import { uploadRenewal } from '../core/limits.ts';
import type { Images } from '../images/images.ts';
import type { Log } from '../log.ts';
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
}

const DELETED_TOGETHER = 1000;
const SECOND = 1000;
const HOUR = 60 * 60 * SECOND;

/** Ms between two rounds: often enough that what is kept too long is a hundredth of what is kept. */
export function retentionPeriod(keep: number): number {
  return Math.min(HOUR, Math.max(SECOND, keep / 100));
}

export async function applyRetention({
  jobs,
  deliveries,
  images,
  log,
  now,
  keep,
}: RetentionDeps): Promise<void> {
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
      if (now() - lastModified.getTime() <= age) continue;
      old.push(key);
      if (old.length < DELETED_TOGETHER) continue;
      await images.delete(old);
      objects += old.length;
      old = [];
    }
    if (old.length > 0) await images.delete(old);
    objects += old.length;
  }
  const items = (await jobs.removeExpired(now())) + (await deliveries.removeExpired(now()));
  if (objects + items > 0) log.info('retention', { objects, items });
}
