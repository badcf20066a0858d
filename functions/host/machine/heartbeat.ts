// A host's heartbeat: writes that it lives, and reads whether it is to end and how many hosts there are. It
// reads its own heartbeat and one number, so that the cost does not grow with the fleet.

import type { Host } from '../../core/host.ts';
import type { Timings } from '../../core/timings.ts';
import type { Log } from '../../log.ts';
import type { Hosts } from '../../store/hosts.ts';
import type { SpreadStore } from '../../store/queue-spread.ts';

export interface HeartbeatDeps {
  hosts: Pick<Hosts, 'read' | 'put'>;
  spread: Pick<SpreadStore, 'readCached'>;
  log: Log;
  timings: Timings;
  hostId: string;
  /** As it is now. */
  item(): Host;
  /** The tables' clock, ms. */
  now(): number;
}

export interface Heartbeat {
  /** Every `heartbeatEvery`. @throws what the table throws: the heartbeat is missed */
  beat(): Promise<void>;
  /** Writes the heartbeat now, for a change that must not wait. @throws what the table throws */
  report(): Promise<void>;
  /** Whether the last written heartbeat says that its ComfyUI takes jobs. */
  reportedHealthy(): boolean;
  /** How many other hosts poll the same queue, as the controller counted last. */
  neighbours(): number;
  /** Has the controller asked it to end? */
  isRetired(): boolean;
  /** Whether it may soon count as dead: it claims nothing then, since the sweep would take each job away again. */
  looksDead(): boolean;
}

export function createHeartbeat({
  hosts,
  spread,
  log,
  timings: { hostDeadAfter },
  hostId,
  item,
  now,
}: HeartbeatDeps): Heartbeat {
  /** A later heartbeat may get through, ms. */
  const timeout = hostDeadAfter / 3;
  /** When the newest heartbeat in the table was made. */
  let reportedAt = -Infinity;
  let reportedHealthy = false;
  let retired = false;
  let neighbours = 0;

  async function report(): Promise<void> {
    const reported = item();
    // A refused write is fine: the table has a newer one.
    await hosts.put(reported, AbortSignal.timeout(timeout));
    reportedAt = reported.seenAt;
    reportedHealthy = reported.comfyui;
  }

  /** A missed count does no harm: it only widens the shuffle of the claim loop. */
  async function countNeighbours(): Promise<void> {
    try {
      // This host is one of them.
      neighbours = Math.max(0, (await spread.readCached()).hosts - 1);
    } catch (error) {
      log.warn('fleet.count_failed', { error: String(error) });
    }
  }

  return {
    async beat() {
      // Read before write: the first answer sets the clock, without which the first heartbeat could be too old.
      const own = await hosts.read(hostId, AbortSignal.timeout(timeout));
      // Set by the controller, which knows the release that should run.
      retired ||= own?.retire === true;
      await report();
      // The heartbeat does not wait for it.
      void countNeighbours();
    },
    report,
    reportedHealthy: () => reportedHealthy,
    neighbours: () => neighbours,
    isRetired: () => retired,
    looksDead: () => now() - reportedAt > hostDeadAfter / 2,
  };
}
