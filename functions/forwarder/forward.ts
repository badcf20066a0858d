// Offers the first waiting jobs to hosts with a free slot. It writes nothing: a lost, late or repeated offer does no harm.
// Source: docs/architecture.md, "The way of a job".

import { type Host, isAlive } from '../core/host.ts';
import { modelsTagIn } from '../core/names.ts';
import { sign, SIGNATURE_HEADER } from '../core/signature.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Log } from '../log.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';

export interface ForwarderDeps {
  jobs: Jobs;
  hosts: Hosts;
  log: Log;
  timings?: Timings | undefined;
  now(): number;
}

/** The hosts' own polls find the rest. */
const MAX_OFFERS = 50;

/**
 * One poll. @throws where the tables do not answer, not for a single host or job
 * @returns how many of the polled jobs a host accepted (`placed`) and how many not (`left`)
 */
export async function forward(deps: ForwarderDeps): Promise<{ placed: number; left: number }> {
  const { jobs, log } = deps;
  const hosts = await readyHosts(deps);
  if (hosts.length === 0) return { placed: 0, left: 0 };
  // `held` is as old as the last heartbeat: a host that seems full gets offers too, but last.
  const free = new Map(hosts.map((host) => [host.hostId, host.slots - host.held]));
  const open = new Set(hosts);
  const slots = hosts.reduce((sum, host) => sum + host.slots, 0);
  const waiting = await jobs.listWork('waiting', Math.min(slots, MAX_OFFERS));

  // In parallel, so that a host that does not answer delays only the offers to it.
  let unplaced = waiting;
  while (unplaced.length > 0 && open.size > 0) {
    const offers = unplaced.map(async (entry) => {
      const { jobId, workOrder } = entry;
      const host = pick([...open], free, modelsTagIn(workOrder));
      free.set(host.hostId, free.get(host.hostId)! - 1);
      const status = await offer(deps, host, jobId);
      log.debug('job.offered', { jobId, hostId: host.hostId, status });
      // 409: that host holds it already.
      if (status === 202 || status === 409) return [];
      open.delete(host);
      return [entry];
    });
    unplaced = (await Promise.all(offers)).flat();
  }
  return { placed: waiting.length - unplaced.length, left: unplaced.length };
}

/** Hosts alive that claim jobs, by a cached read. @throws where the tables do not answer */
export async function readyHosts({ hosts, now, timings = TIMINGS }: ForwarderDeps): Promise<Host[]> {
  const all = await hosts.listCached();
  return all.filter(
    (host) =>
      host.url !== undefined && host.state === 'ready' && host.comfyui && isAlive(host, now(), timings),
  );
}

/** The host with a free slot, then with the models loaded, then with the most free slots. @param models their tag */
function pick(hosts: Host[], free: Map<string, number>, models: string | undefined): Host {
  const rank = (host: Host) => {
    const left = free.get(host.hostId)!;
    const warm = models !== undefined && host.loaded === models;
    return [left > 0 ? 1 : 0, warm ? 1 : 0, left];
  };
  return hosts.reduce((best, host) => (compare(rank(host), rank(best)) > 0 ? host : best));
}

function compare(a: number[], b: number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - b[index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Never throws. @returns the intake's HTTP status; 0: no answer */
export async function offer(
  { hosts, log, now, timings = TIMINGS }: ForwarderDeps,
  host: Host,
  jobId: string,
): Promise<number> {
  const body = JSON.stringify({ jobId });
  try {
    const secret = await hosts.readIntake(host.hostId);
    if (secret === undefined) throw new Error('it has no secret to sign with');
    const response = await fetch(`${host.url}/jobs`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [SIGNATURE_HEADER]: sign(secret, body, now()),
      },
      body,
      signal: AbortSignal.timeout(timings.offerTimeout),
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    log.warn('offer.unanswered', { jobId, hostId: host.hostId, error: String(error) });
    return 0;
  }
}
