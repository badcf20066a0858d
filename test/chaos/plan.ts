// What goes wrong in a run, and when: drawn from the seed before anything starts, so that the same seed has the same
// plan. Refuses to do any of it.

import type { Random } from './random.ts';
import { SCALED } from './scaled.ts';

export const HOSTS = 3;
export const APIS = 2;
export const FORWARDERS = 2;

export const KINDS = [
  'kill',
  'kill-machine',
  'stop',
  'terminate',
  'second-host',
  'forget',
  'interrupt',
  'executor-hangs',
  'http-hangs',
  'http-500',
  'half-image',
  'socket-silent',
  'socket-cut',
  'socket-replays',
  'prompt-answer-lost',
  'history-held',
  'table-throttled',
  'table-late',
  'table-deaf',
  'table-answer-lost',
  'table-repeats',
  'bucket-throttled',
  'bucket-late',
  'bucket-deaf',
  'bucket-answer-lost',
  'offers-lost',
  'offers-doubled',
  'offers-late',
  'index-stale',
  'suspend',
  'table-hosts-deaf',
] as const;

export type FaultKind = (typeof KINDS)[number];

/** `target`: a process, or `all` where a fault is the network's. Times in ms since the load began. */
export interface Fault {
  kind: FaultKind;
  target: string;
  at: number;
  lasts: number;
}

export interface Plan {
  seed: number;
  faults: Fault[];
  /** Hosts whose clock is off, by so many ms. */
  clocks: { host: number; offset: number }[];
  /** When the last job is submitted. */
  submitting: number;
}

export interface Focus {
  kinds: readonly FaultKind[];
  faults?: number;
  /** Only these; else any that the kind has. */
  targets?: Partial<Record<FaultKind, readonly string[]>>;
  lasts?: Partial<Record<FaultKind, readonly [number, number]>>;
  clock?: boolean;
  faultsUntil?: number;
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => name + index);
const hosts = numbered('host', HOSTS);
const comfyuis = numbered('comfyui', HOSTS);
const apis = numbered('api', APIS);
const forwarders = numbered('forwarder', FORWARDERS);
const clients = [...hosts, ...apis, ...forwarders, 'controller'];

/** Came later; drawn only when asked for, so that the plans of seeds stay. */
const NOT_USUAL: readonly FaultKind[] = ['suspend', 'table-hosts-deaf'];

/** What is drawn from when nothing is asked for: processes die more often than all else. */
const USUALLY: readonly FaultKind[] = [
  ...KINDS.filter((kind) => !NOT_USUAL.includes(kind)),
  ...Array.from({ length: 6 }, (): FaultKind => 'kill'),
  ...(['kill-machine', 'stop', 'terminate', 'table-late', 'table-answer-lost', 'forget'] as const),
];

const TARGETS: Record<FaultKind, readonly string[]> = {
  kill: [...hosts, ...hosts, ...comfyuis, ...apis, ...forwarders, 'controller', 'dynamodb', 's3'],
  'kill-machine': hosts,
  stop: hosts,
  terminate: [...hosts, ...hosts, ...apis],
  'second-host': hosts,
  forget: comfyuis,
  interrupt: comfyuis,
  'executor-hangs': comfyuis,
  'http-hangs': comfyuis,
  'http-500': comfyuis,
  'half-image': comfyuis,
  'socket-silent': comfyuis,
  'socket-cut': comfyuis,
  'socket-replays': comfyuis,
  'prompt-answer-lost': comfyuis,
  'history-held': comfyuis,
  'table-throttled': ['all', ...clients],
  'table-late': ['all', ...hosts, 'controller', 'controller', ...apis],
  'table-deaf': ['all', ...clients],
  'table-answer-lost': ['all', ...hosts, ...hosts, ...apis, 'controller'],
  'table-repeats': ['all', ...hosts, 'controller'],
  'bucket-throttled': ['all'],
  'bucket-late': ['all'],
  'bucket-deaf': ['all'],
  'bucket-answer-lost': ['all'],
  'offers-lost': hosts,
  'offers-doubled': hosts,
  'offers-late': hosts,
  'index-stale': ['all'],
  // One machine has them all, and its lid is closed.
  suspend: ['all'],
  // Tables are throttled each for itself: a host's heart is not heard, and its jobs are.
  'table-hosts-deaf': hosts,
};

const LASTS: Partial<Record<FaultKind, readonly [number, number]>> = {
  kill: [50, 1500],
  'kill-machine': [50, 1500],
  // Beyond the dead-host limit, and the error that clocks may have.
  stop: [SCALED.deadAfter + 500, SCALED.deadAfter + 2500],
  terminate: [50, 500],
  suspend: [SCALED.deadAfter + 500, SCALED.deadAfter + 2500],
  'second-host': [100, 100],
  forget: [50, 50],
  interrupt: [50, 50],
  'executor-hangs': [800, SCALED.deadline + 1500],
  'table-deaf': [300, 2500],
  'bucket-deaf': [300, 5000],
};
const USUAL = [600, 3000] as const;

export function draw(random: Random, seed: number, size: number, focus?: Focus): Plan {
  const submitting = size * 75;
  const until = focus?.faultsUntil ?? submitting + 2500;
  const count = focus?.faults ?? Math.round(random.between(11, 17) * Math.max(0.4, size / 100));
  const faults: Fault[] = [];
  for (let tries = 0; faults.length < count && tries < count * 6; tries += 1) {
    const kind = random.pick(focus?.kinds ?? USUALLY);
    const [least, most] = focus?.lasts?.[kind] ?? LASTS[kind] ?? USUAL;
    const fault: Fault = {
      kind,
      target: random.pick(focus?.targets?.[kind] ?? TARGETS[kind]),
      at: random.between(200, until),
      lasts: random.between(least, most),
    };
    if (!faults.some((other) => collide(fault, other))) faults.push(fault);
  }
  const clocks = (focus ? focus.clock : random.chance(0.5))
    ? [{ host: random.between(0, HOSTS - 1), offset: random.chance(0.5) ? 120_000 : -120_000 }]
    : [];
  return { seed, faults: faults.sort((a, b) => a.at - b.at), clocks, submitting };
}

const DOWN: readonly FaultKind[] = ['kill', 'kill-machine', 'stop', 'terminate', 'second-host'];

/** What is down cannot be taken down, and a switch is one switch. */
function collide(a: Fault, b: Fault): boolean {
  if (a.at > b.at + b.lasts + 400 || b.at > a.at + a.lasts + 400) return false;
  if (DOWN.includes(a.kind) && DOWN.includes(b.kind))
    return a.target.replace(/^comfyui/, 'host') === b.target.replace(/^comfyui/, 'host');
  return a.kind === b.kind && a.target === b.target;
}

export function describe({ kind, target, at, lasts }: Fault): string {
  return `${String(at).padStart(6)} ms  ${kind} ${target} for ${lasts} ms`;
}
