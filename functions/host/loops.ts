// What a host does, and how often. Every loop runs alone: a round that takes long delays only its own next one.

import type { Log } from '../log.ts';
import { every } from '../runtime/ticker.ts';
import type { Jobs } from '../store/jobs.ts';
import { NOT_ANSWERING } from './attempt/attempt.ts';
import { runWatchdog } from './claims/watchdog.ts';
import { type HostParts, pollQueue } from './parts.ts';

/** @returns ends them; resolves when the last round of each is over */
export function startLoops(parts: HostParts, jobs: Jobs, log: Log): () => Promise<void> {
  const { awake, cleanup, health, hostId, slots, ledger, timings } = parts;
  const heartbeat = async () => {
    await parts.heartbeat
      .beat()
      .catch((error: unknown) => log.error('host.heartbeat_failed', error, { hostId }));
    await findOrphans(parts, log);
  };
  const loops = [
    every('heartbeat', timings.heartbeatEvery, heartbeat, log),
    every('health', timings.heartbeatEvery, health.poll, log),
    every('poll', timings.hostPollsEvery, () => findJobs(parts, log), log),
    every('watchdog', timings.hostPollsEvery, () => runWatchdog(jobs, slots, awake, timings), log),
    every('cleanup', timings.hostPollsEvery, () => cleanup.remove(), log),
    every('follow_up', timings.hostPollsEvery, () => followJobs(parts, log), log),
    every('ledger', timings.ledgerPutEvery, () => ledger.write(), log),
  ];
  return async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
  };
}

/** Reads ComfyUI's queue while no job is held: the polls that follow held jobs find orphans too. */
export async function findOrphans(parts: HostParts, log: Log): Promise<void> {
  if (parts.slots.size() === 0 && parts.health.answers) await pollQueue(parts, log);
}

async function findJobs(parts: HostParts, log: Log): Promise<void> {
  const { claimLoop, health, heartbeat, readiness, slots, takeOver } = parts;
  // A silent ComfyUI is asked more often than the heart beats, and its return is reported at once.
  const wasHealthy = health.isHealthy;
  if (!health.answers) await health.poll();
  else if (!wasHealthy && slots.size() === 0) await pollQueue(parts, log);
  if (health.isHealthy !== heartbeat.reportedHealthy()) await heartbeat.report();
  await takeOver.run();
  if (takeOver.isDone) await readiness.poll(parts.holds());
  await claimLoop.poll();
}

/** Reads where held jobs stand in ComfyUI; gives back what a ComfyUI that is silent or busy with an orphan will not run. */
async function followJobs(parts: HostParts, log: Log): Promise<void> {
  const { activity, drain, health, orphans, slots, timings } = parts;
  if (parts.holds()) activity.busy();
  if (slots.size() > 0) await pollQueue(parts, log);
  const at = performance.now();
  const silentFor = at - (health.silentSince ?? at);
  const isSilent = silentFor >= timings.comfyuiSilentAfter;
  const isLost = silentFor >= (health.isHeld ? timings.comfyuiHeldAfter : timings.comfyuiSilentAfter);
  for (const heldJob of slots.all()) {
    if (orphans.stuck()) heldJob.drain('its ComfyUI is stuck');
    if (isLost) heldJob.drain(NOT_ANSWERING);
    if (isSilent && drain.isDraining) heldJob.stop('silent');
    if (drain.isOver(heldJob, health.canBeFollowed)) heldJob.stop('silent');
  }
}
