// The queue's virtual time, for the start tags of new jobs: from what waits first and what hosts hold, read at most once
// a second.

import { readWorkOrder } from '../../core/names.ts';
import { type VirtualTime, virtualTimeOf, type QueueSnapshot } from '../../core/start-tag.ts';
import type { Jobs } from '../../store/jobs.ts';

const FRESH = 1000;

export function createVirtualTime(
  jobs: Pick<Jobs, 'listWork' | 'maxStartTagInService'>,
  now: () => number,
): () => Promise<VirtualTime> {
  let view: QueueSnapshot | undefined;
  let virtualTime: VirtualTime | undefined;
  let reading: Promise<QueueSnapshot> | undefined;

  async function read(): Promise<QueueSnapshot> {
    const at = now();
    // What waits first: a job that a host takes in between is seen twice, else it would be missed.
    const [first] = await jobs.listWork('waiting', 1);
    const held = await jobs.maxStartTagInService();
    return {
      at,
      head: first && readWorkOrder(first.workOrder).startTag,
      maxStartTagInService: held === undefined ? undefined : readWorkOrder(held).startTag,
    };
  }

  return async () => {
    if (!view || now() - view.at >= FRESH) {
      reading ??= read().finally(() => (reading = undefined));
      view = await reading;
    }
    virtualTime = virtualTimeOf(view, now(), virtualTime?.startTag);
    return virtualTime;
  };
}
