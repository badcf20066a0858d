// What a host remembers of a job, from before the claim is sent until a write or a strong read shows that this run
// holds it no more.

import { signal } from '../process/signal.ts';
import type { Claimed } from './claim.ts';

/**
 * Why an attempt is broken off. `gone`: cancelled, or another holds it now. `overdue` says for how long nothing came of
 * it: another attempt may do better. `tooLong`: another would take as long.
 */
export type Stop = 'gone' | 'silent' | { overdue: string } | { tooLong: string };

export interface JobRecord {
  jobId: string;
  /** It takes a slot in every phase but `uploading`. */
  phase: 'claiming' | 'working' | 'uploading';
  promptId?: string;
  claimed?: Claimed;
  /** The tables' ms at which the attempt last showed life. */
  aliveAt: number;
  /** How long the attempt has run, ms; the machine's sleep is not counted. */
  ranFor(): number;
  /** Settles when somebody breaks the attempt off; at most once. */
  stopped: Promise<Stop>;
  stop(reason: Stop): void;
  /** Settles when what has not started is to go back, with the reason. */
  drained: Promise<string>;
  drain(reason: string): void;
}

export function createRecord(jobId: string, now: number): JobRecord {
  const stopped = signal<Stop>();
  const drained = signal<string>();
  return {
    jobId,
    phase: 'claiming',
    aliveAt: now,
    ranFor: () => 0,
    stopped: stopped.promise,
    stop: stopped.resolve,
    drained: drained.promise,
    drain: drained.resolve,
  };
}

export function takesSlot(record: JobRecord): boolean {
  return record.phase !== 'uploading';
}
