// Routes about the service: the hosts' machines and models, health.

import type * as z from 'zod';
import type { Host } from '../../core/host.ts';
import { HOST_START_LIMIT, MAX_QUEUE_POSITION } from '../../core/limits.ts';
import { readWorkOrder } from '../../core/names.ts';
import { json, ref } from '../http/answers.ts';
import { route } from '../http/route.ts';
import type { ANSWERS } from '../answers/schemas.ts';
import { takesJobs } from './views.ts';
import type { Shared } from './shared.ts';

export const systemRoutes = (deps: Shared) => [
  route(
    {
      route: 'GET /system',
      id: 'system',
      tag: 'Service',
      summary: 'GPU hosts, their machines and models',
      scope: 'read',
      answers: { 200: json('What there is now', 'System') },
    },
    async () => {
      const [hosts, inventory] = await Promise.all([deps.fleet.hosts(), deps.fleet.inventory()]);
      return {
        devices: devicesOf(hosts),
        models: hosts.length > 0 ? inventory.models : {},
        hosts: hosts.map(hostView),
      };
    },
  ),

  route(
    {
      route: 'GET /health',
      id: 'health',
      tag: 'Service',
      summary: 'Whether images can be made',
      scope: 'read',
      answers: {
        200: json('They can, or could after a host has started', 'Healthy'),
        503: {
          description: 'They cannot (comfyui_not_responding), or the table does not answer (unavailable)',
          content: { 'application/json': { anyOf: [ref('Unhealthy'), ref('Error')] } },
          headers: { 'Retry-After': 'Seconds, where it may help' },
        },
      },
    },
    async (c) => {
      const hosts = await deps.fleet.hosts();
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
      return {
        status: 'healthy',
        comfyui,
        output_dir: deps.images.outputDirectory,
        system: { devices: devicesOf(hosts), hosts: hosts.map(hostView) },
        simulated: hosts.some(({ simulated }) => simulated),
      };
    },
  ),
];

/** MiB, as the guide shows. */
function devicesOf(hosts: Host[]) {
  return hosts.flatMap(({ devices }) =>
    devices.map(({ name, vram, vramFree }) => ({ name, vram, vram_free: vramFree })),
  );
}

function hostView(host: Host): z.input<typeof ANSWERS.System>['hosts'][number] {
  return {
    host_id: host.hostId,
    state: host.state,
    comfyui: host.comfyui ? 'connected' : 'silent',
    comfyui_version: host.comfyuiVersion ?? null,
    comfyui_url: host.comfyuiUrl ?? null,
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
    // A host that ends itself, or has just started, is no fault.
    const coming = hosts.filter((host) => host.state === 'ready');
    if (coming.length === 0) return 'asleep';
    return coming.some(({ startedAt }) => now() - startedAt < HOST_START_LIMIT) ? 'waking' : 'silent';
  }
  const head = await jobs.listWork('waiting', MAX_QUEUE_POSITION);
  // Each owner's oldest stands near the head.
  const since = Math.min(now(), ...head.map(({ workOrder }) => readWorkOrder(workOrder).acceptedAt));
  return now() - since < HOST_START_LIMIT ? 'waking' : 'silent';
}
