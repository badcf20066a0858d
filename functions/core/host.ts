// A host: one run of the process beside a ComfyUI. A restart is a new host.

import { showsLifeWithin, type Timings } from './timings.ts';

export interface HostDevice {
  name: string;
  /** MiB. */
  vram: number;
  vramFree: number;
}

export interface Host {
  hostId: string;
  /** Runs on the same machine follow each other; the later deletes the earlier's items. */
  machineId: string;
  /** Where a machine has several ComfyUIs, and `machineId` names one of them: the machine's own. */
  instanceId?: string;
  /** Where a machine has several: which of them, without its password. */
  comfyuiUrl?: string;
  /** The machine's availability zone; absent: it is not on EC2. */
  zone?: string;
  /** URL of the intake; absent: the host is in the API's own process, and needs no offers. */
  url?: string | undefined;
  state: 'ready' | 'draining';
  slots: number;
  held: number;
  /** Model files of the graphs that ran last: what ComfyUI probably has in memory. */
  models: string[];
  /** The tag (affinity.ts) of the last of them that needed any. */
  loaded?: string;
  /** Milliseconds, the tables' clock. */
  seenAt: number;
  startedAt: number;
  simulated: boolean;
  /** False while ComfyUI is silent or in trouble; the host then claims nothing. */
  comfyui: boolean;
  /** Why `comfyui` is false: a word for machines, a colon, a sentence. */
  trouble?: string;
  comfyuiVersion?: string;
  /** SHA-256 of the host's inventory, its name in the bucket. */
  inventoryHash?: string;
  devices: HostDevice[];
  /** Release of the bundle, ComfyUI and boot scripts that the host runs; absent where hosts are not rolled. */
  release?: string;
  /** Mean seconds of GPU time that a job took on this host. */
  jobSeconds?: number;
  /** Waiting jobs that the host does not take because their models or nodes are missing; at most about ninety. */
  unrunnable?: string[];
  /** Set by the controller: the host drains and ends its machine. */
  retire?: true;
}

/** The machine, which several hosts may share: on EC2 the instance. */
export function instanceOf({ instanceId, machineId }: Pick<Host, 'instanceId' | 'machineId'>): string {
  return instanceId ?? machineId;
}

/** @param now ms, the tables' clock */
export function isAlive(
  host: Pick<Host, 'seenAt'>,
  now: number,
  { hostDeadAfter }: Pick<Timings, 'hostDeadAfter'>,
): boolean {
  return now - host.seenAt < hostDeadAfter;
}

/** Hosts that cost next to nothing to read. */
const FEW = 50;
/** ms for each more: so that all of them are about 20 read units a second for each process that reads them. */
const FOR_EACH = 10;

/** How old a list of so many hosts may be, ms: never so old that a living host looks dead in it. 0: it is read each time. */
export function hostsFreshFor(hosts: number, timings: Pick<Timings, 'heartbeatEvery'>): number {
  return Math.min(Math.max(0, hosts - FEW) * FOR_EACH, showsLifeWithin(timings));
}
