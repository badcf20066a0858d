// What a host remembers of a job, from before the claim is sent until a write or a strong read shows that this run
// holds it no more.

import { signal } from '../../runtime/signal.ts';
import type { Claimed } from './claim.ts';

/**
 * Why an attempt is broken off. `gone`: cancelled, or another holds it now. `overdue` says for how long nothing came of
 * it: another attempt may do better. `tooLong`: another would take as long. `stuck`: its ComfyUI runs nothing any more.
 */
export type Stop = 'gone' | 'silent' | { overdue: string } | { tooLong: string } | { stuck: string };

export interface HeldJob {
  jobId: string;
  /** It takes a slot in every phase but `uploading`. */
  phase: 'claiming' | 'working' | 'uploading';
  promptId?: string;
  claimed?: Claimed;
  /** The kind of a node of its graph. */
  classOf(node: string): string | undefined;
  /** The client id under which this run posted it: only while the socket has that id, its events are heard. */
  postedAs?: string;
  /** When the attempt last showed life, in ms that this machine was awake. */
  aliveAt: number;
  /** Since when this run holds it, and tries to store its images, in such ms; as its keeper saw it. */
  heldSince?: number;
  storesSince?: number;
  /** How long it has run, in such ms. */
  ranFor(): number;
  /** Tells the table, where it has not heard of the attempt for long, that it is not given up. */
  reportLife(): void;
  /** Settles when somebody breaks the attempt off; at most once. */
  stopped: Promise<Stop>;
  stop(reason: Stop): void;
  /** Settles when what has not started is to go back, with the reason. */
  drained: Promise<string>;
  drain(reason: string): void;
}

export function createHeldJob(jobId: string): HeldJob {
  const stopped = signal<Stop>();
  const drained = signal<string>();
  return {
    jobId,
    phase: 'claiming',
    aliveAt: 0,
    classOf: () => undefined,
    ranFor: () => 0,
    reportLife: () => undefined,
    stopped: stopped.promise,
    stop: stopped.resolve,
    drained: drained.promise,
    drain: drained.resolve,
  };
}

export function takesSlot(heldJob: HeldJob): boolean {
  return heldJob.phase !== 'uploading';
}
