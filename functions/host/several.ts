// The hosts of one process: one for each ComfyUI of its machine, each with a name that outlives a restart. What happens to one
// ComfyUI is its own host's business; they share only what lets a job find the one that has its models loaded.

import { createComfyUI } from '../comfyui/client.ts';
import type { ComfyUIAddress } from '../core/comfyui-address.ts';
import { machineIdOfOne } from '../core/names.ts';
import { TIMINGS } from '../core/timings.ts';
import type { Metrics } from '../metrics.ts';
import type { Sibling } from './claims/warmth.ts';
import { type HostDeps, type RunningHost, startHost } from './host.ts';
import type { Retirable } from './machine/retirement.ts';

export interface RunningHosts extends Retirable {
  /** In the order of the addresses. */
  all: RunningHost[];
  /** Each looks for waiting jobs at once. */
  poll(): void;
}

export interface SeveralDeps extends Omit<HostDeps, 'comfyui' | 'siblings' | 'url' | 'place'> {
  /** Where the forwarder reaches the intake of each; absent: nowhere. */
  urlOf?: (index: number) => string;
}

/** Its lines say which ComfyUI they are of. */
function metricsOf(metrics: Metrics, comfyuiUrl: string): Metrics {
  return { put: (values, about) => metrics.put(values, { comfyui_url: comfyuiUrl, ...about }) };
}

/**
 * Resolves once the heartbeat of each is written. @throws what the tables throw
 * @param addresses at least one; a host that is alone has the machine's own name
 */
export async function startHosts(
  { urlOf, ...deps }: SeveralDeps,
  addresses: readonly ComfyUIAddress[],
): Promise<RunningHosts> {
  const siblings = new Set<Sibling>();
  const isAlone = addresses.length === 1;
  const all = await Promise.all(
    addresses.map((address, index) =>
      startHost({
        ...deps,
        // Each works on its share of the machine.
        usdPerHour: deps.usdPerHour === undefined ? undefined : deps.usdPerHour / addresses.length,
        ...(!isAlone && deps.metrics && { metrics: metricsOf(deps.metrics, address.url) }),
        siblings,
        comfyui: createComfyUI(address, (deps.timings ?? TIMINGS).comfyuiAnswersWithin),
        url: urlOf?.(index),
        ...(!isAlone && {
          machineId: machineIdOfOne(deps.machineId, address.url),
          place: { instanceId: deps.machineId, comfyuiUrl: address.url },
        }),
      }),
    ),
  );
  return {
    all,
    poll() {
      for (const host of all) host.poll();
    },
    idleFor: () => Math.min(...all.map((host) => host.idleFor())),
    isRetired: () => all.some((host) => host.isRetired()),
    async drain() {
      await Promise.all(all.map((host) => host.drain()));
    },
  };
}
