// Sweeps jobs of dead hosts, reclaims stalled ones, expires old ones. Source: docs/architecture.md, "States".

import { type Host, isAlive } from '../core/host.ts';
import {
  type Change,
  expire,
  hasEnded,
  type JobState,
  sweep as sweepChange,
  reclaimStalled,
} from '../core/job.ts';
import { HOST_FORGOTTEN_AFTER, JOB_EXPIRES_AFTER } from '../core/limits.ts';
import { ownerOrder, readWorkOrder } from '../core/names.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Log } from '../log.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Ledger } from '../store/ledgers.ts';
import type { Watch } from './watch.ts';

export interface ControllerDeps {
  jobs: Jobs;
  hosts: Hosts;
  log: Log;
  now(): number;
  watch: Watch;
  timings?: Timings | undefined;
  /** Counts the jobs that it ends. Absent: they are not counted. */
  ledger?: Ledger | undefined;
  /** Called when a job waits again. */
  nudge(): void;
}

const HELD_LIMIT = 10_000;
/** Expired in one round, at most. */
const EXPIRE_BATCH = 100;

export interface Swept {
  /** Jobs taken from their hosts, and how many of them had started: lost attempts. */
  returned: number;
  lost: number;
  expired: number;
}

/** One round. @throws where the tables do not answer */
export async function sweep(deps: ControllerDeps): Promise<Swept> {
  const returned = await returnLost(deps);
  const expired = await expireOld(deps);
  await deps.ledger?.write();
  return { ...returned, expired };
}

async function returnLost({
  jobs,
  hosts,
  log,
  now,
  watch,
  timings = TIMINGS,
  ledger,
  nudge,
}: ControllerDeps): Promise<Pick<Swept, 'returned' | 'lost'>> {
  const began = now();
  const held = (await jobs.listWork('held', HELD_LIMIT)).map(({ jobId }) => jobId);
  // Everything is judged as of the beginning, so that slow answers and writes, or a machine that sleeps during them, let no
  // host look dead. The first answer may have set the clock back.
  const asOf = Math.min(began, now());
  // Jobs before hosts: a host that registered and claimed after the list of hosts would look gone.
  const states = await jobs.readStates(held, { consistent: true });
  const listed = await hosts.list();
  const byId = new Map(listed.map((host) => [host.hostId, host]));

  const byTime = watch.mayJudge(asOf);

  const holders = new Set<string>();
  let returned = 0;
  let lost = 0;
  for (const state of states) {
    if (hasEnded(state) || state.host === undefined) continue;
    const found = whyToSweep(state, byId.get(state.host), watch, timings, byTime ? asOf : undefined);
    if (found === undefined) {
      holders.add(state.host);
      continue;
    }
    const { reason, change } = found;
    const made = change(state, reason, now());
    const written = await jobs.write(state.jobId, made);
    const about = { jobId: state.jobId, hostId: state.host, attempt: state.attempt, reason };
    if (!written) {
      log.debug('sweep.superseded', about);
      continue;
    }
    log.warn('sweep.reclaimed', about);
    ledger?.ended({ ...state, ...made.set });
    returned += 1;
    if (state.status === 'processing') lost += 1;
  }
  if (returned > 0) nudge();

  for (const host of byId.values())
    if (!holders.has(host.hostId) && asOf - host.seenAt > HOST_FORGOTTEN_AFTER)
      await hosts.remove(host.hostId);
  watch.polled(now());
  return { returned, lost };
}

interface Sweep {
  reason: string;
  change(job: JobState, reason: string, now: number): Change;
}

/** @param asOf ms; undefined: no host is judged by the age of its heartbeat */
function whyToSweep(
  state: JobState,
  host: Host | undefined,
  watch: Watch,
  timings: Timings,
  asOf: number | undefined,
): Sweep | undefined {
  const because = (reason: string, change = sweepChange): Sweep => ({ reason, change });
  if (!host) return because('its GPU host was restarted or is gone');
  if (asOf === undefined) return undefined;
  if (!isAlive(host, asOf, timings)) return because('its GPU host died');
  if (state.status === 'queued')
    return watch.age(state.claimedAt ?? asOf, asOf) > timings.jobLimit
      ? because('its GPU host never started it')
      : undefined;
  // A job that progresses without end is its host's to end: only the host knows how long its machine slept.
  return watch.age(state.progressAt ?? asOf, asOf) > (state.deadline ?? timings.jobDeadline)
    ? because('it made no progress within its deadline', reclaimStalled)
    : undefined;
}

async function expireOld({ jobs, log, now, watch, ledger }: ControllerDeps): Promise<number> {
  let expired = 0;
  const due: { jobId: string; ownerOrder: string; createdAt: number }[] = [];
  const shards = await jobs.shards();
  // All waiting jobs: the order is by start tag, so an old job may be behind younger ones.
  for (let shard = 0; shard < shards && due.length < EXPIRE_BATCH; shard += 1)
    for await (const page of jobs.eachOfShard(shard)) {
      for (const { jobId, workOrder } of page) {
        const { acceptedAt } = readWorkOrder(workOrder);
        if (watch.waitsFor(acceptedAt, now()) > JOB_EXPIRES_AFTER)
          due.push({ jobId, ownerOrder: ownerOrder(acceptedAt, jobId), createdAt: acceptedAt });
      }
      if (due.length >= EXPIRE_BATCH) break;
    }
  for (const job of due.slice(0, EXPIRE_BATCH)) {
    const { jobId, createdAt } = job;
    const change = expire(job, now());
    if (!(await jobs.write(jobId, change))) continue;
    expired += 1;
    ledger?.ended({ jobId, createdAt, status: 'failed', ...change.set });
    log.warn('job.expired', { jobId });
  }
  return expired;
}
