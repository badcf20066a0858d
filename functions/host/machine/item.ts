// The host as its item says it: what the forwarder, the controller and a person may know of it.

import type { Host } from '../../core/host.ts';
import type { ComfyUIWatch } from '../prompts/health.ts';

const MIB = 2 ** 20;

/** What does not change in a run. */
export type HostIdentity = Pick<Host, 'hostId' | 'machineId' | 'url' | 'slots' | 'startedAt'> & {
  release?: string | undefined;
};

export interface HostNow {
  now: number;
  draining: boolean;
  retired: boolean;
  held: number;
  models: string[];
  unrunnable: string[];
  jobSeconds: number | undefined;
}

export function heartbeatOf({ release, ...identity }: HostIdentity, watch: ComfyUIWatch, at: HostNow): Host {
  const { stats } = watch;
  return {
    ...identity,
    state: at.draining ? 'draining' : 'ready',
    held: at.held,
    models: at.models,
    seenAt: at.now,
    simulated: watch.simulated,
    comfyui: watch.isHealthy,
    ...(watch.trouble !== undefined && { trouble: watch.trouble }),
    ...(release !== undefined && { release }),
    ...(at.retired && { retire: true }),
    ...(at.unrunnable.length > 0 && { unrunnable: at.unrunnable }),
    ...(at.jobSeconds !== undefined && { jobSeconds: at.jobSeconds }),
    ...(stats?.system.comfyui_version && { comfyuiVersion: stats.system.comfyui_version }),
    ...(watch.inventoryHash && { inventoryHash: watch.inventoryHash }),
    devices: (stats?.devices ?? []).map((device) => ({
      name: device.name,
      vram: Math.round(device.vram_total / MIB),
      vramFree: Math.round(device.vram_free / MIB),
    })),
  };
}
