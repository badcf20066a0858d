// One round of scaling: reads, decides, writes the decision, acts, reports. The decision is written before it is carried
// out, under the version that it was based on, so that one of two controllers acts. After a crash a later round repeats
// it: every act is idempotent.

import type { Fleet } from '../core/fleet.ts';
import { readWorkOrder } from '../core/names.ts';
import { type Warmth, warmHosts } from '../core/warm-schedule.ts';
import type { Log } from '../log.ts';
import { isRefusal, type Machines } from '../machines/machines.ts';
import type { Metrics } from '../metrics.ts';
import type { FleetStore } from '../store/fleet.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';
import { inventoriesNow } from './inventories.ts';
import { HEAD, unrunnableNow, runnableCount } from './unrunnable.ts';
import { type Decision, decide, isWorthARound } from './scale.ts';

export interface ScaleDeps {
  jobs: Jobs;
  hosts: Hosts;
  fleet: FleetStore;
  machines: Machines;
  metrics: Metrics;
  log: Log;
  /** The tables' clock, ms. */
  now(): number;
  maxHosts: number;
  warmth: Warmth;
  /** Hosts are spot instances. */
  spot: boolean;
  /** The release that hosts should run. */
  release: string;
}

/**
 * @param hurried called by the stream between scheduled rounds: skips the round unless no host is up or starting
 * @param began ids of the jobs that began to wait, which the index may not show yet
 * @throws what DynamoDB or the reads of Auto Scaling threw; a failed act is recorded and repeated by a later round
 */
export async function scaleFleet(
  deps: ScaleDeps,
  { hurried = false, began = [] }: { hurried?: boolean; began?: string[] } = {},
): Promise<void> {
  const { fleet, hosts, log, now } = deps;
  const isWorthIt = async (remembered: Fleet) => isWorthARound(remembered, await hosts.listCached(), now());
  // The stream may call many times a second: a cached read first.
  if (hurried && !(await isWorthIt(await fleet.readCached()))) return;
  // The first read: its answer sets the clock.
  const remembered = await fleet.read();
  if (hurried && !(await isWorthIt(remembered))) return;
  const queue = await readQueue(deps, began);
  let decision: Decision;
  try {
    decision = await poll(deps, queue, remembered);
  } catch (error) {
    await fleet.write({ ...remembered, lastError: { message: messageOf(error), at: now() } });
    measure(deps, queue, remembered);
    throw error;
  }
  const written = await fleet.write(decision.fleet);
  if (!written) {
    log.info('fleet.decision_discarded');
    return;
  }
  report(deps, decision, remembered);
  const troubles = await act(deps, decision);
  if (troubles.length > 0) await fleet.write(afterTroubles(written, troubles, now()));
  measure(deps, queue, decision.fleet);
}

interface Queue {
  waiting: number;
  held: number;
  /** Ids of the first waiting jobs. */
  head: string[];
  /** Waiting time of the oldest of them, ms. */
  oldest: number;
}

async function readQueue({ jobs, now }: ScaleDeps, began: string[]): Promise<Queue> {
  const [counted, held, head] = await Promise.all([
    jobs.countWork('waiting'),
    jobs.countWork('held'),
    jobs.listWork('waiting', HEAD),
  ]);
  const reported = counted > 0 ? [] : await jobs.readStates(began.slice(0, HEAD), { consistent: true });
  const waiting = counted + reported.filter(({ work }) => work === 'waiting').length;
  // The first start tag need not be the oldest job, but each owner's oldest is near the head.
  const since = Math.min(now(), ...head.map(({ workOrder }) => readWorkOrder(workOrder).acceptedAt));
  return {
    waiting,
    held,
    head: head.map(({ jobId }) => jobId),
    oldest: now() - since,
  };
}

async function poll(deps: ScaleDeps, { waiting, held, head }: Queue, remembered: Fleet): Promise<Decision> {
  const { machines, hosts, now, maxHosts, release, warmth, spot } = deps;
  // Instances before hosts, so that one that comes up in between counts as up.
  const group = await machines.describe();
  const live = group.instances.filter(({ state }) => state !== 'ending').length;
  const launchFailure = group.desired > live ? await machines.launchFailure() : undefined;
  const listed = await hosts.list();
  const unrunnable = unrunnableNow(remembered, listed, { head, release, now: now() });
  const warm = warmHosts(warmth, now());
  const snapshot = { group, launchFailure, hosts: listed, held, maxHosts, warm, spot, release, now: now() };
  const decision = decide({ ...snapshot, waiting: runnableCount(waiting, head, unrunnable) }, remembered);
  const some = Object.keys(unrunnable).length > 0;
  const inventories = inventoriesNow(remembered, listed, { release, now: now() });
  return {
    ...decision,
    fleet: { ...decision.fleet, unrunnable: some ? unrunnable : undefined, inventories },
  };
}

interface Trouble {
  act: 'on demand' | 'raise' | 'withdraw' | 'terminate' | 'retire';
  error: unknown;
}

async function act({ machines, hosts, log }: ScaleDeps, decision: Decision): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  const attempt = async (act: Trouble['act'], id: string | number, doIt: () => Promise<unknown>) => {
    try {
      await doIt();
      log.info('fleet.changed', { action: act, target: String(id) });
    } catch (error) {
      log.error('fleet.change_failed', error, { action: act, target: String(id) });
      troubles.push({ act, error });
    }
  };
  const { onDemandBase } = decision;
  // Before the raise, which launches instances of this kind.
  if (onDemandBase !== undefined)
    await attempt('on demand', onDemandBase, () => machines.setOnDemandBase(onDemandBase));
  // Raise before terminations, which lower the desired capacity that it counts from.
  const { raiseTo } = decision;
  if (raiseTo !== undefined) await attempt('raise', raiseTo, () => machines.raise(raiseTo));
  if (decision.withdraw) await attempt('withdraw', decision.fleet.desired, () => machines.withdraw());
  for (const id of decision.terminate) await attempt('terminate', id, () => machines.terminate(id));
  for (const id of decision.retire) await attempt('retire', id, () => hosts.retire(id));
  return troubles;
}

/** The memory after failed acts. */
function afterTroubles(fleet: Fleet, troubles: Trouble[], now: number): Fleet {
  const message = messageOf(troubles[0]!.error);
  const refused = troubles.find(({ act, error }) => act === 'raise' && isRefusal(error));
  return {
    ...fleet,
    lastError: { message: `${troubles[0]!.act}: ${message}`, at: now },
    ...(refused && {
      blocked: {
        code: 'raise_refused',
        reason: `Auto Scaling refused to raise their number: ${messageOf(refused.error)}`,
        at: now,
      },
    }),
  };
}

function report({ log }: ScaleDeps, { fleet }: Decision, before: Fleet): void {
  const { blocked } = fleet;
  if (blocked && blocked.code !== before.blocked?.code)
    log.warn('fleet.start_blocked', { code: blocked.code, reason: blocked.reason });
  if (!blocked && before.blocked) log.info('fleet.start_unblocked', { code: before.blocked.code });
}

function measure({ metrics }: ScaleDeps, { waiting, oldest }: Queue, fleet: Fleet): void {
  metrics.put(
    {
      waiting,
      oldest_waiting: oldest / 1000,
      hosts_ready: fleet.ready,
      hosts_wanted: fleet.wanted,
      // A metric is charged for each hour in which it is put.
      ...(fleet.blocked && { start_blocked: 1 }),
    },
    fleet.blocked && { reason: fleet.blocked.reason },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
