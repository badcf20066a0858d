// GET /v2/<endpoint>/health: how many of the caller's jobs wait, run and have ended, and what the hosts do. All endpoints are of one
// queue and one fleet.

import { isStarting } from '../../core/estimate.ts';
import type { Host } from '../../core/host.ts';
import type { JobState, Ran } from '../../core/job.ts';
import type { Listing } from '../caches/totals.ts';
import type { RunpodDeps } from './deps.ts';

const listingOf = (status: Ran): Listing<JobState> => ({
  of: [status],
  itemsOf: (state) => [state],
  count: () => 1,
});
const COMPLETED = listingOf('completed');
const FAILED = listingOf('failed');

export async function health({ queue, totals, fleet }: RunpodDeps, owner: string) {
  const [{ waiting, held }, completed, failed, hosts] = await Promise.all([
    queue.count(owner),
    totals.of(owner, COMPLETED),
    totals.of(owner, FAILED),
    fleet.hosts(),
  ]);
  return {
    jobs: {
      completed: completed.count,
      failed: failed.count,
      inProgress: held,
      inQueue: waiting,
      // An ended job stays as it is.
      retried: 0,
    },
    workers: workersOf(hosts),
  };
}

/** Each host is counted once, but for `ready`: those that would take a job now. */
function workersOf(hosts: readonly Host[]) {
  const count = (is: (host: Host) => boolean) => hosts.filter(is).length;
  const isReady = (host: Host) => host.comfyui && host.state === 'ready';
  return {
    idle: count((host) => isReady(host) && host.held === 0),
    initializing: count(isStarting),
    ready: count((host) => isReady(host) && host.held < host.slots),
    running: count((host) => host.comfyui && host.held > 0),
    throttled: 0,
    unhealthy: count((host) => !host.comfyui && !isStarting(host)),
  };
}
