// The end of a host: gives back what has not started, waits for what runs, deletes the heartbeat last. A job that cannot
// come to its end here is broken off after a bound: the program that stops a host does not wait for it.

import type { Timings } from '../../core/timings.ts';
import type { Log } from '../../log.ts';
import type { Hosts } from '../../store/hosts.ts';
import type { HeldJob } from '../claims/held-job.ts';
import type { Slots } from '../claims/slots.ts';

export interface DrainDeps {
  slots: Slots;
  hosts: Pick<Hosts, 'remove'>;
  hostId: string;
  log: Log;
  timings: Pick<Timings, 'hostDeadAfter'>;
  awake(): number;
  pause(attempt: number): Promise<void>;
  /** Reports that the host drains. */
  report(): Promise<void>;
  /** Ends the loops, and what is left to clean up. */
  stopLoops(): Promise<void>;
  /** Ms: for a prompt that cannot be followed, and for images that cannot be stored. */
  waits: { followed: number; stored: number };
}

export interface Drain {
  readonly isDraining: boolean;
  /** Is the wait for this job over? */
  isOver(heldJob: HeldJob, canBeFollowed: boolean): boolean;
  /** Resolves when nothing is held and the heartbeat is deleted; the same promise each time. */
  run(): Promise<void>;
}

export function createDrain(deps: DrainDeps): Drain {
  const { slots, hosts, hostId, log, timings, awake, waits } = deps;
  let since: number | undefined;
  let drained: Promise<void> | undefined;

  /** Tries again for as long as the heartbeat would count as alive; then the host is dead anyway. */
  async function deleteHeartbeat(): Promise<void> {
    const giveUp = performance.now() + timings.hostDeadAfter;
    for (let attempt = 0; ; attempt += 1)
      try {
        return await hosts.remove(hostId);
      } catch (error) {
        log.error('host.removal_failed', error, { hostId });
        if (performance.now() > giveUp) return;
        await deps.pause(attempt);
      }
  }

  async function drain(): Promise<void> {
    since = awake();
    await deps.report().catch((error: unknown) => log.error('host.heartbeat_failed', error, { hostId }));
    for (const heldJob of slots.all()) heldJob.drain('the GPU host was stopped');
    await slots.empty();
    await deps.stopLoops();
    await deleteHeartbeat();
  }

  return {
    get isDraining() {
      return since !== undefined;
    },
    isOver({ phase }, canBeFollowed) {
      if (since === undefined) return false;
      const drainsFor = awake() - since;
      return phase === 'uploading'
        ? drainsFor >= waits.stored
        : drainsFor >= waits.followed && !canBeFollowed;
    },
    run: () => (drained ??= drain()),
  };
}
