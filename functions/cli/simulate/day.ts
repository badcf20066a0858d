// A day of GPU hosts under the controller's rule: jobs arrive, wait and run; hosts start, idle and end themselves. A
// discrete-event simulation in seconds from midnight; only `decide` is the product's. A host runs one job at a time (its
// second slot hides the pause between two), jobs start in the order of arrival, and all take the same time.

import { decide, isWorthARound } from '../../controller/scale.ts';
import type { HostSnapshot } from '../../controller/instances.ts';
import { type Fleet, UNKNOWN_FLEET } from '../../core/fleet.ts';
import { SCALE_EVERY } from '../../core/limits.ts';
import { NEVER_WARM, type Warmth, warmHosts } from '../../core/warm-schedule.ts';
import type { Instance } from '../../machines/machines.ts';
import { Heap } from './heap.ts';

export interface World {
  secondsPerJob: number;
  /** From the raise of the group's size to the host's first claim. */
  startSeconds: number;
  idleSeconds: number;
  maxHosts: number;
  /** Jobs that arrive while so many wait are refused. */
  maxWaiting: number;
  /** Hosts kept up without work on the simulated day, a Monday in UTC. */
  warmth?: Warmth;
}

export interface DayResult {
  /** Seconds from acceptance to start of every accepted job, in the order of arrival. */
  waits: Float64Array;
  refused: number;
  /** From launch to end, sum of all hosts. */
  gpuSeconds: number;
  /** The part of gpuSeconds with a job. */
  busySeconds: number;
  mostHosts: number;
  /** Number of host starts. */
  starts: number;
}

interface SimulatedHost {
  index: number;
  id: string;
  launchedAt: number;
  state: 'starting' | 'idle' | 'busy' | 'gone';
  idleSince: number;
  done: number;
}

interface Event {
  at: number;
  what: 'up' | 'done' | 'idle';
  host: SimulatedHost;
}

/** Start of the day in the tables' time, ms; not 0, which the rule reads as "never". */
const MIDNIGHT = Date.UTC(2026, 10, 23);
const ROUND_EVERY = SCALE_EVERY / 1000;
const MIDNIGHT_AFTER = 24 * 3600;

/** @param arrivals seconds from midnight, ascending */
export function simulateDay(arrivals: Float64Array, world: World): DayResult {
  const accepted = new Float64Array(arrivals.length);
  const waits = new Float64Array(arrivals.length);
  const events = new Heap<Event>((a, b) => a.at < b.at);
  // The forwarder picks in the same way: the first free host of the list.
  const idle = new Heap<SimulatedHost>((a, b) => a.index < b.index);
  const hosts = new Set<SimulatedHost>();
  const result: DayResult = { waits, refused: 0, gpuSeconds: 0, busySeconds: 0, mostHosts: 0, starts: 0 };
  let memory: Fleet = UNKNOWN_FLEET;
  let desired = 0;
  let nextArrival = 0;
  let count = 0;
  let started = 0;
  let busy = 0;
  let nextRound = 0;

  const warmAt = (now: number) =>
    now < MIDNIGHT_AFTER ? warmHosts(world.warmth ?? NEVER_WARM, MIDNIGHT + now * 1000) : 0;
  const lastRound = world.warmth === undefined ? 0 : MIDNIGHT_AFTER;

  function launch(now: number): void {
    const index = result.starts;
    const host: SimulatedHost = {
      index,
      id: `i-${index}`,
      launchedAt: now,
      state: 'starting',
      idleSince: 0,
      done: 0,
    };
    hosts.add(host);
    result.starts += 1;
    result.mostHosts = Math.max(result.mostHosts, hosts.size);
    events.push({ at: now + world.startSeconds, what: 'up', host });
  }

  function end(host: SimulatedHost, now: number): void {
    hosts.delete(host);
    host.state = 'gone';
    desired -= 1;
    result.gpuSeconds += now - host.launchedAt;
  }

  function take(host: SimulatedHost, now: number): void {
    if (started === count) {
      host.state = 'idle';
      host.idleSince = now;
      idle.push(host);
      events.push({ at: now + world.idleSeconds, what: 'idle', host });
      return;
    }
    waits[started] = now - accepted[started]!;
    started += 1;
    busy += 1;
    host.state = 'busy';
    events.push({ at: now + world.secondsPerJob, what: 'done', host });
  }

  function round(now: number): void {
    const snapshots: HostSnapshot[] = [];
    const instances: Instance[] = [];
    const time = MIDNIGHT + now * 1000;
    for (const { id, state, done, launchedAt } of hosts) {
      instances.push({ id, state: 'in_service', isProtected: true });
      if (state === 'starting') continue;
      snapshots.push({
        hostId: id,
        machineId: id,
        state: 'ready',
        comfyui: true,
        held: state === 'busy' ? 1 : 0,
        seenAt: time,
        startedAt: launchedAt,
        ...(done > 0 && { jobSeconds: world.secondsPerJob }),
      });
    }
    const { raiseTo, terminate, fleet } = decide(
      {
        now: time,
        waiting: count - started,
        held: busy,
        hosts: snapshots,
        group: { desired, min: 0, max: world.maxHosts, instances },
        maxHosts: world.maxHosts,
        warm: warmAt(now),
        spot: false,
        release: 'simulated',
      },
      memory,
    );
    memory = fleet;
    for (; raiseTo !== undefined && desired < raiseTo; desired += 1) launch(now);
    for (const host of hosts) if (terminate.includes(host.id)) end(host, now);
  }

  /** One ready host is enough for the rule to see that any is up. */
  function up(now: number): { state: 'ready'; seenAt: number }[] {
    const seenAt = MIDNIGHT + now * 1000;
    for (const { state } of hosts) if (state !== 'starting') return [{ state: 'ready', seenAt }];
    return [];
  }

  function arrive(now: number): void {
    nextArrival += 1;
    if (count - started >= world.maxWaiting) {
      result.refused += 1;
      return;
    }
    accepted[count] = now;
    count += 1;
    let host = idle.pop();
    while (host && host.state !== 'idle') host = idle.pop();
    if (host) take(host, now);
    else if (isWorthARound(memory, up(now), MIDNIGHT + now * 1000)) round(now);
  }

  function happen({ what, host, at }: Event): void {
    if (host.state === 'gone') return;
    if (what === 'done') {
      busy -= 1;
      host.done += 1;
      result.busySeconds += world.secondsPerJob;
    }
    if (what === 'idle') {
      if (host.state !== 'idle' || host.idleSince + world.idleSeconds > at) return;
      // A host repeats the check in the same way.
      if (memory.warm?.includes(host.id)) events.push({ at: at + ROUND_EVERY, what: 'idle', host });
      else end(host, at);
    } else take(host, at);
  }

  for (;;) {
    const arrival = arrivals[nextArrival] ?? Infinity;
    const event = events.peek()?.at ?? Infinity;
    // No event is left that a round could act on.
    if (arrival === Infinity && hosts.size === 0 && started === count && nextRound >= lastRound) break;
    if (nextRound <= Math.min(arrival, event)) {
      round(nextRound);
      nextRound += ROUND_EVERY;
    } else if (event <= arrival) happen(events.pop()!);
    else arrive(arrival);
  }
  return { ...result, waits: waits.subarray(0, count) };
}
