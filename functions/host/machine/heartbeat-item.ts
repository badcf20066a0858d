// The content of a heartbeat: what the forwarder, the controller and a person know of a host.

import type { Host } from '../../core/host.ts';
import type { ComfyUIHealth } from '../prompts/health.ts';

const MIB = 2 ** 20;

/** What does not change in a run. */
export type HostIdentity = Pick<
  Host,
  'hostId' | 'machineId' | 'instanceId' | 'comfyuiUrl' | 'zone' | 'url' | 'slots' | 'startedAt'
> & {
  release?: string | undefined;
};

export interface HostNow {
  now: number;
  draining: boolean;
  retired: boolean;
  held: number;
  models: string[];
  loaded: string | undefined;
  unrunnable: string[];
  jobSeconds: number | undefined;
}

export function heartbeatOf(
  { release, ...identity }: HostIdentity,
  health: ComfyUIHealth,
  at: HostNow,
): Host {
  const { stats } = health;
  return {
    ...identity,
    state: at.draining ? 'draining' : 'ready',
    held: at.held,
    models: at.models,
    ...(at.loaded !== undefined && { loaded: at.loaded }),
    seenAt: at.now,
    simulated: health.simulated,
    comfyui: health.isHealthy,
    ...(health.trouble !== undefined && { trouble: health.trouble }),
    ...(release !== undefined && { release }),
    ...(at.retired && { retire: true }),
    ...(at.unrunnable.length > 0 && { unrunnable: at.unrunnable }),
    ...(at.jobSeconds !== undefined && { jobSeconds: at.jobSeconds }),
    ...(stats?.system.comfyui_version && { comfyuiVersion: stats.system.comfyui_version }),
    ...(health.inventoryHash && { inventoryHash: health.inventoryHash }),
    devices: (stats?.devices ?? []).map((device) => ({
      name: device.name,
      vram: Math.round(device.vram_total / MIB),
      vramFree: Math.round(device.vram_free / MIB),
    })),
  };
}
