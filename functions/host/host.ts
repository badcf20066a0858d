// The GPU host: claims jobs for one ComfyUI, as many as it has slots, and sees each to its end. Its parts: parts.ts; what
// they do, and when: loops.ts. Source: docs/architecture.md, "The host process".

import { randomBytes, randomUUID } from 'node:crypto';
import { connectEvents } from '../comfyui/events.ts';
import type { TakesOffers } from './claims/intake.ts';
import { hostIdOf } from './claims/recover.ts';
import { findOrphans, startLoops } from './loops.ts';
import type { Retirable } from './machine/retirement.ts';
import { createParts, firstHealth, type HostDeps } from './parts.ts';

export type { HostDeps } from './parts.ts';

export interface RunningHost extends TakesOffers, Retirable {
  hostId: string;
  /** Looks for waiting jobs at once, in their order. */
  poll(): void;
}

/** A ComfyUI that is slow to answer must not keep the host from being known, ms. */
const FIRST_HEALTH = 2000;

/**
 * Resolves once the heartbeat is written. Claims as soon as ComfyUI answers and former runs are taken over from.
 * @throws what the tables throw
 */
export async function startHost(deps: HostDeps): Promise<RunningHost> {
  const { jobs, hosts, comfyui, log, now, machineId } = deps;
  const hostId = hostIdOf(machineId, randomUUID());
  const intakeSecret = randomBytes(32).toString('hex');
  let stopLoops = () => Promise.resolve();
  const parts = createParts(deps, hostId, () => stopLoops());
  const { activity, claimLoop, drain, head, health, heartbeat, poller, previews, readiness, takeOver } =
    parts;

  await firstHealth(health, FIRST_HEALTH);
  await hosts.putIntake(hostId, intakeSecret, now());
  // Nothing may be adopted without a heartbeat.
  await heartbeat.beat();
  await findOrphans(parts, log);
  await takeOver.run();
  const socket = connectEvents(
    comfyui,
    {
      event(event) {
        previews.observe(event);
        head.observe(event);
        poller.observe(event);
      },
      frame: previews.frame,
      disconnected() {
        head.moved();
        poller.disconnected();
      },
    },
    parts.timings,
  );
  parts.listen(socket);
  stopLoops = startLoops(parts, jobs, log);
  void claimLoop.poll();

  return {
    hostId,
    intakeSecret,
    offer: claimLoop.offer,
    poll: () => void claimLoop.poll(),
    idleFor: () => (parts.holds() ? 0 : activity.idleFor(readiness.isReady)),
    isRetired: heartbeat.isRetired,
    drain: drain.run,
  };
}
