// A host's counts of its attempts: metrics, and the mean GPU seconds that scaling uses.

import type { Metrics } from '../../metrics.ts';
import type { Confirmation } from '../claims/confirmed-write.ts';

export interface Stats {
  /** Called with the outcome of the write that ends an attempt. */
  ended(as: 'completed' | 'failed' | 'lost', settled: Confirmation, jobId: string, gpuMs: number): void;
  /** Mean GPU seconds of the jobs completed here, the later ones counting more; undefined before the first. */
  jobSeconds(): number | undefined;
}

/** Weight of the newest job in the mean. */
const NEWEST = 0.2;

export function createStats(metrics: Metrics): Stats {
  let mean: number | undefined;
  return {
    ended(as, settled, jobId, gpuMs) {
      const about = { jobId };
      if (settled !== 'written') {
        metrics.put({ writes_fenced_out: 1 }, about);
        return;
      }
      const gpu_seconds = gpuMs / 1000;
      if (as === 'lost') metrics.put({ attempts_lost: 1, gpu_seconds }, about);
      else if (as === 'failed') metrics.put({ jobs_failed: 1, gpu_seconds }, about);
      else {
        metrics.put({ jobs_completed: 1, gpu_seconds }, about);
        mean = mean === undefined ? gpu_seconds : mean + NEWEST * (gpu_seconds - mean);
      }
    },
    jobSeconds: () => (mean === undefined ? undefined : Math.round(mean * 1000) / 1000),
  };
}
