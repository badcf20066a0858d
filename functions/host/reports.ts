// What a running attempt tells the table on its way: that it started, and how far it has come. One write at a time,
// in order, at most one of progress a second.

import { advance, apply, type Progress, start } from '../core/job.ts';
import { PROGRESS_EVERY } from '../core/limits.ts';
import type { Graph } from '../core/object-info.ts';
import { trackProgress } from '../core/progress.ts';
import { type Claimed, hasStarted } from './claim.ts';
import type { PromptListener } from './poller.ts';
import type { JobRecord } from './record.ts';
import { settle, type Settler } from './settle.ts';

export interface Reports extends PromptListener {
  /** Resolves when no report is on its way. */
  written(): Promise<void>;
  lastSteps(): Pick<Progress, 'currentStep' | 'totalSteps'>;
}

export function createReports(
  settler: Settler,
  record: JobRecord,
  claimed: Claimed,
  graph: Graph,
  now: () => number,
): Reports {
  const { jobId } = record;
  const { fence, state } = claimed;
  const tracker = trackProgress(graph, state);
  let queue: Promise<unknown> = Promise.resolve();
  let startSent = hasStarted(claimed);
  let advancing = false;
  let lastSent = -Infinity;
  let sent = state.progress;

  const started = () => {
    if (startSent) return;
    startSent = true;
    record.aliveAt = now();
    queue = queue.then(async () => {
      const change = start(claimed.state, fence, now());
      const settled = await settle(settler, jobId, change, fence);
      if (settled === 'gone') record.stop('gone');
      else claimed.state = apply(claimed.state, change) ?? claimed.state;
    });
  };

  return {
    started,
    progressed(event) {
      started();
      tracker.observe(event);
      record.aliveAt = now();
      const progress = tracker.current();
      if (advancing || progress.progress <= sent || now() - lastSent < PROGRESS_EVERY) return;
      advancing = true;
      lastSent = now();
      queue = queue.then(async () => {
        try {
          // A refused or lost one is no harm: the next says more.
          await settler.jobs.write(jobId, advance(fence, progress, now()));
          sent = progress.progress;
        } catch (error) {
          settler.log.debug('progress not written', { job_id: jobId, error: String(error) });
        } finally {
          advancing = false;
        }
      });
    },
    async written() {
      await queue;
    },
    lastSteps() {
      const { currentStep, totalSteps } = tracker.current();
      return currentStep > 0
        ? { currentStep, totalSteps }
        : { currentStep: state.totalSteps, totalSteps: state.totalSteps };
    },
  };
}
