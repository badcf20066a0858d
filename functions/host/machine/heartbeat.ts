// How a host says that it lives, and hears what it must know of others: whether it is to end, and how many they are. It
// reads its own item and one number, however many hosts there are.

import type { Host } from '../../core/host.ts';
import type { Timings } from '../../core/timings.ts';
import type { Log } from '../../log.ts';
import type { Hosts } from '../../store/hosts.ts';
import type { SpreadStore } from '../../store/spread.ts';

export interface HeartbeatDeps {
  hosts: Pick<Hosts, 'read' | 'put'>;
  spread: Pick<SpreadStore, 'glance'>;
  log: Log;
  timings: Timings;
  hostId: string;
  /** As it is now. */
  item(): Host;
  /** The tables' clock, ms. */
  now(): number;
}

export interface Heartbeat {
  /** Every `heartbeatEvery`. @throws what the table threw: it was not heard */
  beat(): Promise<void>;
  /** Its item anew, where something changed that must not wait. */
  report(): Promise<void>;
  /** Does the table say that its ComfyUI takes jobs? */
  reportedHealthy(): boolean;
  /** How many other hosts look at the same queue, as the controller said last. */
  neighbours(): number;
  /** Has the controller asked it to end? */
  isRetired(): boolean;
  /** Who may soon be taken for dead takes nothing: whatever it took would be lost again and again. */
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
  /** A later heartbeat may get through where this one does not. */
  const timeout = hostDeadAfter / 3;
  /** The youngest sign of life that the table has of this run. */
  let reportedAt = -Infinity;
  let reportedHealthy = false;
  let retired = false;
  let neighbours = 0;

  async function report(): Promise<void> {
    const reported = item();
    // Refused, the table has a younger one.
    await hosts.put(reported, AbortSignal.timeout(timeout));
    reportedAt = reported.seenAt;
    reportedHealthy = reported.comfyui;
  }

  /** What it does not hear now it hears later: it only says how far from the head to look for a job. */
  async function countNeighbours(): Promise<void> {
    try {
      // It is one of them.
      neighbours = Math.max(0, (await spread.glance()).hosts - 1);
    } catch (error) {
      log.warn('fleet.count_failed', { error: String(error) });
    }
  }

  return {
    async beat() {
      // Read before write: the first answer sets the clock, and a host must not be born dead.
      const own = await hosts.read(hostId, AbortSignal.timeout(timeout));
      // Told by the controller, which knows which release should run.
      retired ||= own?.retire === true;
      await report();
      // It is no news: a heartbeat does not wait for it.
      void countNeighbours();
    },
    report,
    reportedHealthy: () => reportedHealthy,
    neighbours: () => neighbours,
    isRetired: () => retired,
    looksDead: () => now() - reportedAt > hostDeadAfter / 2,
  };
}
