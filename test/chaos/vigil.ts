// What is watched while it happens: nothing waits while a host that could take it is free, and what a host lost waits
// again in time. Judged only where no fault explains it.

import { SLOTS_PER_HOST } from '../../functions/core/limits.ts';
import { brief, type Ledger, processOf } from './ledger.ts';
import { SCALED } from './scaled.ts';
import type { Deployment } from './deployment.ts';

const EVERY = 100;
/** Longer than a look and a claim, by far. */
const MAY_WAIT = 2000;
/** After a fault everything gets this long to find itself again. */
const QUIET = 2500;
/** The SDK's own pauses between tries are not scaled. */
const QUIET_AFTER_SDK = 7000;
const SLACK = 1500;

export interface Vigil {
  /** Seconds a job was held by what was dead; the worst. */
  stop(): { worstRecoveryMs: number };
}

export function keepVigil(deployment: Deployment): Vigil {
  const { ledger, troubles, starvation } = deployment;
  const freeSince = new Map<string, number>();
  let quietSince = Date.now();
  let told = false;

  const timer = setInterval(() => {
    const now = Date.now();
    const allUp = [...deployment.processes.values()].every((one) => one.running);
    if (troubles.any() || !allUp || starvation.during(now - EVERY, now)) quietSince = now;
    const stumbled = troubles
      .during(now - QUIET_AFTER_SDK, now)
      .some(({ kind, target }) => /^(table|bucket)-/.test(kind) || target === 'dynamodb' || target === 's3');
    if (stumbled) quietSince = now;
    const oldest = [...ledger.jobs.entries()]
      .flatMap(([jobId, versions]) => {
        const { state, at } = versions.at(-1)!;
        return state.work === 'waiting' ? [{ jobId, at }] : [];
      })
      .sort((a, b) => a.at - b.at)[0];
    for (const [hostId, { item, seen }] of ledger.hosts) {
      const fit = item?.state === 'ready' && item.comfyui && now - (seen.at(-1) ?? 0) < SCALED.clockError;
      const free = fit && ledger.heldBy(hostId, now).length < SLOTS_PER_HOST;
      if (!free) freeSince.delete(hostId);
      else if (!freeSince.has(hostId)) freeSince.set(hostId, now);
    }
    const [free] = [...freeSince].sort(([, a], [, b]) => a - b);
    if (told || !free || !oldest) return;
    const since = Math.max(quietSince + QUIET, oldest.at, free[1]);
    if (now - since > MAY_WAIT) {
      told = true;
      const host = ledger.hosts.get(free[0]);
      const held = ledger.heldBy(free[0], now).map(brief);
      ledger.violate(
        'nothing waits',
        `it waited for ${now - since} ms while ${host?.by} was free with ${host?.item?.held} held: ${held.join('; ')}`,
        oldest.jobId,
      );
    }
  }, EVERY);

  return {
    stop() {
      clearInterval(timer);
      return { worstRecoveryMs: recoveries(deployment) };
    },
  };
}

/** From the moment a host went down (or its job hung) to the next write that took the job from it. */
function recoveries({ ledger, troubles, processes, starvation }: Deployment): number {
  let worst = 0;
  const downs = troubles.all.filter(
    ({ kind, target }) =>
      target.startsWith('host') && (kind === 'kill' || kind === 'kill-machine' || kind === 'stop'),
  );
  for (const down of downs)
    for (const [jobId, versions] of ledger.jobs)
      for (const [index, { state, at, sentAt }] of versions.entries()) {
        const next = versions.slice(index + 1).find((later) => later.state.host !== state.host);
        if (state.host === undefined || ownerOf(ledger, state.host) !== down.target) continue;
        if (at > down.from || versions[index - 1]?.state.host === state.host) continue;
        if (next && next.at < down.from) continue;
        const recovery = (next?.sentAt ?? Date.now()) - Math.max(down.from, sentAt);
        const to = down.from + recovery;
        const others = troubles
          .during(down.from, to)
          .filter((one) => one !== down && explains(one, down.target));
        const crashed = processes
          .get('controller')!
          .exits.some((exit) => exit.at >= down.from && exit.at <= to);
        if (others.length > 0 || crashed || starvation.during(down.from, to)) continue;
        worst = Math.max(worst, recovery);
        const bound = SCALED.deadAfter + SCALED.clockError + SCALED.sweepEvery + SLACK;
        if (recovery > bound)
          ledger.violate('recovery', `held for ${recovery} ms after ${down.kind} of ${down.target}`, jobId);
      }
  return worst;
}

const ownerOf = (ledger: Ledger, hostId: string) => processOf(ledger.hosts.get(hostId)?.by ?? '');

/** Faults that keep a lost job from being returned, or its host from being dead. */
function explains({ kind, target }: { kind: string; target: string }, host: string): boolean {
  if (kind.startsWith('table-')) return target === 'all' || target === 'controller' || target === host;
  if (kind === 'index-stale') return true;
  return target === 'controller' || target === 'dynamodb' || target === host;
}
