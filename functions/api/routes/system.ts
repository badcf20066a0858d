// Routes about the service: workflows, the hosts' machines and models, health.

import { Hono } from 'hono';
import { AppError } from '../../core/errors.ts';
import { MAX_QUEUE_POSITION } from '../../core/limits.ts';
import { readTurn } from '../../core/names.ts';
import { choicesOf } from '../../core/inputs.ts';
import { type Missing, missingOf } from '../../core/missing.ts';
import { type Graph, lacks } from '../../core/object-info.ts';
import { faultsOf } from '../../core/check.ts';
import { describeTemplate } from '../../core/describe.ts';
import type { Host } from '../../store/hosts.ts';
import { needs } from '../http/access.ts';
import { exactJson } from '../http/exact-json.ts';
import { type ApiEnv, type Shared } from '../deps.ts';
import type { KnownHost } from '../caches/fleet.ts';
import { takesJobs } from './views.ts';

/** What a start of a GPU host may take. */
const WAKING_AT_MOST = 15 * 60_000;

export function systemRoutes(deps: Shared) {
  const { workflows, fleet } = deps;
  return new Hono<ApiEnv>()
    .get('/workflows', needs('read'), (c) => {
      const { templates, refused } = workflows;
      return c.json({ workflows: [...templates.keys()], total: templates.size, refused });
    })

    .get('/workflows/:name', needs('read'), async (c) => {
      const template = workflows.templates.get(c.req.param('name'));
      if (!template) throw new AppError('workflow_not_found', 'Workflow not found');
      const [{ nodes }, hosts] = await Promise.all([fleet.inventory(), fleet.inventories()]);
      return exactJson(c, {
        ...describeTemplate(template, (spec) => choicesOf(template, spec, nodes)),
        ...checked(template.graph, hosts),
      });
    })

    .get('/system', needs('read'), async (c) => {
      const [hosts, inventory] = await Promise.all([fleet.hosts(), fleet.inventory()]);
      return c.json({
        devices: devicesOf(hosts),
        models: hosts.length > 0 ? inventory.models : {},
        hosts: hosts.map(hostView),
      });
    })

    .get('/health', needs('read'), async (c) => {
      const hosts = await fleet.hosts();
      const comfyui = await stateOfComfyUI(deps, hosts);
      if (comfyui === 'silent')
        return c.json(
          {
            status: 'unhealthy',
            error: 'ComfyUI not responding',
            code: 'comfyui_not_responding',
            trouble: hosts.find(({ trouble }) => trouble !== undefined)?.trouble ?? null,
          },
          503,
        );
      return c.json({
        status: 'healthy',
        comfyui,
        output_dir: deps.images.outputDirectory,
        system: { devices: devicesOf(hosts), hosts: hosts.map(hostView) },
        simulated: hosts.some(({ simulated }) => simulated),
      });
    });
}

/** Nothing where one of the hosts runs it, or none is there to be asked. */
function checked(graph: Graph, hosts: readonly KnownHost[]): { missing: Missing[]; faults: string[] } {
  const found = hosts.map(({ nodes }) => ({ lacks: lacks(graph, nodes), faults: faultsOf(graph, nodes) }));
  if (found.some((one) => one.lacks.length === 0 && one.faults.length === 0))
    return { missing: [], faults: [] };
  return { missing: missingOf(graph, hosts), faults: found[0]?.faults ?? [] };
}

/** MiB, as the guide shows. */
function devicesOf(hosts: Host[]) {
  return hosts.flatMap(({ devices }) =>
    devices.map(({ name, vram, vramFree }) => ({ name, vram, vram_free: vramFree })),
  );
}

function hostView(host: Host) {
  return {
    host_id: host.hostId,
    state: host.state,
    comfyui: host.comfyui ? 'connected' : 'silent',
    comfyui_version: host.comfyuiVersion ?? null,
    trouble: host.trouble ?? null,
    simulated: host.simulated,
    slots: host.slots,
    held: host.held,
    seen_at: new Date(host.seenAt).toISOString(),
    started_at: new Date(host.startedAt).toISOString(),
  };
}

async function stateOfComfyUI(
  { settings, queue, jobs, now }: Shared,
  hosts: Host[],
): Promise<'connected' | 'asleep' | 'waking' | 'silent'> {
  if (hosts.some(takesJobs)) return 'connected';
  if (settings.fixedComfyUI) return 'silent';
  const { waiting } = await queue.count();
  if (waiting === 0) {
    // One that ends itself, or has just come up, is no fault: nobody waits for it.
    const coming = hosts.filter((host) => host.state === 'ready');
    if (coming.length === 0) return 'asleep';
    return coming.some(({ startedAt }) => now() - startedAt < WAKING_AT_MOST) ? 'waking' : 'silent';
  }
  const head = await jobs.listWork('waiting', MAX_QUEUE_POSITION);
  // Each owner's oldest stands near the head.
  const since = Math.min(now(), ...head.map(({ workOrder }) => readTurn(workOrder).acceptedAt));
  return now() - since < WAKING_AT_MOST ? 'waking' : 'silent';
}
