// A host as its item in the table says it: alive, idle, and with nothing listening at its intake.

import type { Host } from '../../functions/core/host.ts';

/** @param seenAt ms, the tables' clock */
export function hostItem(hostId: string, seenAt: number, more: Partial<Host> = {}): Host {
  return {
    hostId,
    machineId: hostId,
    url: 'http://127.0.0.1:9',
    state: 'ready',
    slots: 2,
    held: 0,
    models: [],
    seenAt,
    startedAt: seenAt,
    simulated: true,
    comfyui: true,
    devices: [],
    ...more,
  };
}
