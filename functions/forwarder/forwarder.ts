// What to do when somebody says that there is work: many triggers, one look at a time. A trigger that names its job,
// as a stream record does, has this one offered at once to a host that was there a moment ago; if that fails, or more
// comes meanwhile, the look decides.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../core/host.ts';
import { TIMINGS } from '../core/timings.ts';
import { forward, type ForwarderDeps, offer, readyHosts } from './forward.ts';

export interface Forwarder {
  /** Never throws; the work goes on by itself. */
  nudge(jobId?: string): void;
  /** No look begins after this. */
  stop(): void;
}

/** While hosts are full or there is none, the next look waits so long, ms: they look for themselves anyway. */
const PAUSE_AFTER_NOTHING = 100;

export function createForwarder(deps: ForwarderDeps): Forwarder {
  const { log, now, timings = TIMINGS } = deps;
  let stopped = false;
  let busy = false;
  let again = false;
  /** Did jobs remain unplaced? Then nobody is offered out of turn. */
  let backlog = false;
  /** The only host there was at the last look: with several, the look chooses. */
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

  /** True: taken, or held there already. */
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
