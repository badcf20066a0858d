// What a ComfyUI says of itself, for all hosts together: its machine, what its wire can do, and that it frees its memory.

import type { Host } from '../../core/host.ts';
import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import type { Features } from './features.ts';

const MIB = 2 ** 20;
/** What clients read as a text or a number and a host does not report. */
const UNKNOWN = { text: 'unknown', bytes: 0 };

export const systemRoutes = ({ fleet }: WireDeps, features: Features): Mounted[] => [
  {
    route: 'GET /system_stats',
    scope: 'read',
    async handle(c) {
      const hosts = await fleet.hosts();
      return exactJson(c, { system: systemOf(hosts), devices: devicesOf(hosts) });
    },
  },
  { route: 'GET /features', scope: 'read', handle: (c) => Promise.resolve(exactJson(c, features)) },
  {
    route: 'POST /free',
    scope: 'generate',
    handle: (c) =>
      Promise.resolve(
        exactJson(c, {
          freed: false,
          message: 'Each host frees its memory itself: others’ jobs may need it',
        }),
      ),
  },
];

function systemOf(hosts: readonly Host[]) {
  return {
    os: UNKNOWN.text,
    ram_total: UNKNOWN.bytes,
    ram_free: UNKNOWN.bytes,
    comfyui_version: hosts.find(({ comfyuiVersion }) => comfyuiVersion)?.comfyuiVersion ?? UNKNOWN.text,
    python_version: UNKNOWN.text,
    pytorch_version: UNKNOWN.text,
    embedded_python: false,
    argv: [],
  };
}

/** Of all hosts, in turn; none while no host is awake. */
function devicesOf(hosts: readonly Host[]) {
  return hosts
    .flatMap(({ devices }) => devices)
    .map(({ name, vram, vramFree }, index) => ({
      name,
      type: typeOf(name),
      index,
      vram_total: vram * MIB,
      vram_free: vramFree * MIB,
      torch_vram_total: UNKNOWN.bytes,
      torch_vram_free: UNKNOWN.bytes,
    }));
}

/** ComfyUI's names begin with it: `cuda:0 NVIDIA L4 : cudaMallocAsync`, `cpu`. */
function typeOf(name: string): string {
  return /^[a-z]+(?=:\d|$)/.exec(name)?.[0] ?? UNKNOWN.text;
}
