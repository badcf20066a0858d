// The virtual time, for the start tags of new jobs: the first waiting job and the held ones are read at most once a second.

import { cached } from '../../core/cache.ts';
import { readWorkOrder } from '../../core/names.ts';
import { type VirtualTime, virtualTimeOf, type QueueSnapshot } from '../../core/start-tag.ts';
import type { Jobs } from '../../store/jobs.ts';

const FRESH = 1000;

export function createVirtualTime(
  jobs: Pick<Jobs, 'listWork' | 'maxStartTagInService'>,
  now: () => number,
): () => Promise<VirtualTime> {
  let virtualTime: VirtualTime | undefined;
  const snapshot = cached(read, { now, freshFor: () => FRESH });

  async function read(): Promise<QueueSnapshot> {
    const at = now();
    // The waiting job first: a job that a host claims in between is seen twice, else it would be missed.
    const [first] = await jobs.listWork('waiting', 1);
    const held = await jobs.maxStartTagInService();
    return {
      at,
      head: first && readWorkOrder(first.workOrder).startTag,
      maxStartTagInService: held === undefined ? undefined : readWorkOrder(held).startTag,
    };
  }

  return async () => {
    virtualTime = virtualTimeOf(await snapshot(), now(), virtualTime?.startTag);
    return virtualTime;
  };
}
