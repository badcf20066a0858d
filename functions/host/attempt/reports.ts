// What a running attempt writes to the table: that it started, and its progress. One write at a time,
// in order, at most one of progress a second.

import { advance, apply, type Progress, touch, start } from '../../core/job.ts';
import { START_REPORTED_AFTER } from '../../core/limits.ts';
import type { Graph } from '../../core/object-info.ts';
import { trackProgress } from '../../core/progress.ts';
import type { Timings } from '../../core/timings.ts';
import { type Claimed, hasStarted } from '../claims/claim.ts';
import type { PromptListener } from '../prompts/poller.ts';
import type { HeldJob, LifeSigns } from '../claims/held-job.ts';
import { writeConfirmed, type Writer } from '../claims/confirmed-write.ts';

export interface Reports extends PromptListener, LifeSigns {
  /** Reports the start if it is due; resolves when all writes are done. */
  reported(): Promise<void>;
  /** For an end that carries the start: a start that is not written yet is dropped. */
  settleStart(): Promise<{ startedAt?: number }>;
  lastSteps(): Pick<Progress, 'currentStep' | 'totalSteps'>;
}

export function createReports(
  deps: Writer & { timings: Timings; now(): number; awake(): number; clientId(): string },
  heldJob: HeldJob,
  claimed: Claimed,
  graph: Graph,
): Reports {
  const { timings, now, awake } = deps;
  const { jobId } = heldJob;
  const { fence, state } = claimed;
  const tracker = trackProgress(graph, state);
  let queue: Promise<unknown> = Promise.resolve();
  let startedAt = hasStarted(claimed) ? state.startedAt : undefined;
  // An adopted attempt ran before, for an unknown time.
  let ranSince = startedAt === undefined ? undefined : awake();
  /** When it was first missing from ComfyUI's queue: it stopped running then. */
  let leftAt: number | undefined;
  let startSent = hasStarted(claimed);
  let startTimer: NodeJS.Timeout | undefined;
  let advancing = false;
  /** The last write of progress, ms awake. */
  let lastSent = -Infinity;
  /** The last sign of life in the table, by the table's clock: the controller judges by it, and that clock may be set. */
  let reportedAt = now();
  let sent = state.progress;

  function reportStart(): void {
    clearTimeout(startTimer);
    if (startSent || startedAt === undefined) return;
    startSent = true;
    const change = start(claimed.state, fence, startedAt);
    queue = queue.then(async () => {
      const settled = await writeConfirmed(deps, jobId, change, fence);
      if (settled === 'gone') heldJob.stop('gone');
      else claimed.state = apply(claimed.state, change) ?? claimed.state;
    });
  }

  async function touched(): Promise<void> {
    try {
      await deps.jobs.write(jobId, touch(fence, now()));
    } catch (error) {
      deps.log.debug('job.touch_failed', { jobId, error: String(error) });
    }
  }

  async function reportProgress(progress: Progress): Promise<void> {
    try {
      // A refused or lost write does no harm: the next carries more progress.
      await deps.jobs.write(jobId, advance(fence, progress, now()));
      sent = progress.progress;
    } catch (error) {
      deps.log.debug('job.advance_failed', { jobId, error: String(error) });
    } finally {
      advancing = false;
    }
  }

  function started(): void {
    if (startedAt !== undefined) return;
    startedAt = now();
    ranSince = awake();
    heldJob.showLife(awake());
    startTimer = setTimeout(reportStart, START_REPORTED_AFTER);
  }

  return {
    started,
    ranFor: () => (ranSince === undefined ? 0 : Math.round((leftAt ?? awake()) - ranSince)),
    reportLife() {
      if (
        startedAt === undefined ||
        Math.abs(now() - reportedAt) < (state.deadline ?? timings.jobDeadline) / 4
      )
        return;
      reportedAt = now();
      reportStart();
      queue = queue.then(touched);
    },
    runs() {
      leftAt = undefined;
      // A node may be silent for long. A template's own deadline applies only if this run hears the prompt's events.
      const isHeard = heldJob.postedAs === deps.clientId();
      if (state.deadline === undefined || !isHeard) heldJob.showLife(awake());
    },
    left() {
      leftAt ??= awake();
    },
    progressed(event) {
      started();
      tracker.observe(event);
      heldJob.showLife(awake());
      const progress = tracker.current();
      if (!startSent || advancing || progress.progress <= sent) return;
      if (awake() - lastSent < timings.progressEvery) return;
      advancing = true;
      lastSent = awake();
      reportedAt = now();
      queue = queue.then(() => reportProgress(progress));
    },
    async reported() {
      reportStart();
      await queue;
    },
    async settleStart() {
      clearTimeout(startTimer);
      startSent = true;
      await queue;
      return startedAt === undefined ? {} : { startedAt: claimed.state.startedAt ?? startedAt };
    },
    lastSteps() {
      const { currentStep, totalSteps } = tracker.current();
      return currentStep > 0
        ? { currentStep, totalSteps }
        : { currentStep: state.totalSteps, totalSteps: state.totalSteps };
    },
  };
}
