// Turns nudges into polls, one at a time. A nudge that names its job has it offered at once, if the last poll saw exactly
// one host; if that fails, or another nudge arrives, a poll decides.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../core/host.ts';
import { TIMINGS } from '../core/timings.ts';
import { forward, type ForwarderDeps, offer, readyHosts } from './forward.ts';

export interface Forwarder {
  /** Never throws; the work continues in the background. */
  nudge(jobId?: string): void;
  /** No poll begins after this. */
  stop(): void;
}

/** Pause after a poll that placed no job, ms: hosts poll for themselves as well. */
const PAUSE_AFTER_NOTHING = 100;

export function createForwarder(deps: ForwarderDeps): Forwarder {
  const { log, now, timings = TIMINGS } = deps;
  let stopped = false;
  let busy = false;
  let again = false;
  /** Jobs remained unplaced: then none is offered ahead of them. */
  let backlog = false;
  /** The only host of the last poll; with several a poll chooses. */
  let only: { host: Host; seenAt: number } | undefined;

  async function poll(): Promise<void> {
    const { placed, left } = await forward(deps).catch((error: unknown) => {
      log.error('round.failed', error, { round: 'forward' });
      return { placed: 0, left: 1 };
    });
    backlog = left > 0;
    if (placed === 0) await sleep(PAUSE_AFTER_NOTHING);
  }

  async function refreshOnly(): Promise<void> {
    if (only && now() - only.seenAt < timings.heartbeatEvery) return;
    const [host, ...others] = await readyHosts(deps);
    only = host && others.length === 0 ? { host, seenAt: now() } : undefined;
  }

  /** True: accepted, or held there already. */
  async function offerAtOnce(jobId: string): Promise<boolean> {
    try {
      await refreshOnly();
      if (!only) return false;
      const status = await offer(deps, only.host, jobId);
      log.debug('job.offered', { jobId, hostId: only.host.hostId, status });
      if (status === 0 || status === 401) only = undefined;
      return status === 202 || status === 409;
    } catch (error) {
      log.error('offer.failed', error, { jobId });
      return false;
    }
  }

  async function run(jobId: string | undefined): Promise<void> {
    busy = true;
    const taken = jobId !== undefined && !backlog && (await offerAtOnce(jobId));
    again ||= !taken;
    while (again && !stopped) {
      again = false;
      await poll();
    }
    busy = false;
  }

  return {
    nudge(jobId) {
      if (busy) again = true;
      else if (!stopped) void run(jobId);
    },
    stop() {
      stopped = true;
    },
  };
}
