// The hosts as an operator sees them, with what each holds.

import { instanceOf, type Host } from '../../core/host.ts';
import { hasEnded, type JobState } from '../../core/job-state.ts';
import { iso } from '../../core/job-view.ts';
import { cached } from '../../core/cache.ts';
import { seldom } from '../caches/seldom.ts';
import { json } from '../http/answers.ts';
import { route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';

const LISTED = 500;
/** Two of each host that is listed. */
const HELD = 2 * LISTED;

export function hostRoutes({ fleet, jobs, now }: AdminDeps) {
  // A query of some pages, and ten reads of 100 jobs.
  const heldByHost = cached(async () => {
    const rows = await jobs.listWork('held', HELD);
    const states = await jobs.readStates(
      rows.map(({ jobId }) => jobId),
      { consistent: false },
    );
    const byHost = new Map<string, JobState[]>();
    for (const state of states)
      if (state.host !== undefined && !hasEnded(state))
        byHost.set(state.host, [...(byHost.get(state.host) ?? []), state]);
    return byHost;
  }, seldom(now));

  return [
    route(
      {
        route: 'GET /admin/hosts',
        id: 'adminHosts',
        tag: 'Operations',
        summary: 'Hosts, their machines and what they hold',
        scope: 'admin',
        answers: { 200: json('Those that are alive', 'HostList') },
      },
      async () => {
        const [hosts, held] = await Promise.all([fleet.hosts(), heldByHost()]);
        const oldestFirst = hosts.toSorted((a, b) => a.startedAt - b.startedAt);
        return {
          hosts: oldestFirst.slice(0, LISTED).map((host) => hostView(host, held.get(host.hostId) ?? [])),
          total: hosts.length,
        };
      },
    ),
  ];
}

function hostView(host: Host, held: readonly JobState[]) {
  return {
    host_id: host.hostId,
    machine_id: instanceOf(host),
    zone: host.zone ?? null,
    state: host.state,
    comfyui: host.comfyui ? ('connected' as const) : ('silent' as const),
    comfyui_version: host.comfyuiVersion ?? null,
    comfyui_url: host.comfyuiUrl ?? null,
    trouble: host.trouble ?? null,
    simulated: host.simulated,
    release: host.release ?? null,
    devices: host.devices.map(({ name, vram, vramFree }) => ({ name, vram, vram_free: vramFree })),
    models: host.models,
    slots: host.slots,
    held: host.held,
    seconds_per_job: host.jobSeconds ?? null,
    running: held.map((state) => ({
      job_id: state.jobId,
      owner: state.owner,
      status: state.status === 'processing' ? ('processing' as const) : ('queued' as const),
      since: iso(state.startedAt ?? state.claimedAt ?? state.createdAt),
      progress: state.progress,
    })),
    started_at: iso(host.startedAt),
    seen_at: iso(host.seenAt),
  };
}
