// A job that this run holds, from before the claim is sent until a write or a strong read shows that it holds the job no
// more. Its phase changes here and nowhere else: claiming → working → uploading.

import type { Graph } from '../../core/object-info.ts';
import { signal } from '../../runtime/deferred.ts';
import type { Claimed } from './claim.ts';

/**
 * Why an attempt is broken off. `gone`: the job is cancelled, or another host holds it. `overdue`: nothing came of the
 * attempt for so long; another may do better. `tooLong`: another would take as long. `stuck`: ComfyUI runs nothing any more.
 */
export type Stop = 'gone' | 'silent' | { overdue: string } | { tooLong: string } | { stuck: string };

export type Phase = 'claiming' | 'working' | 'uploading';

/** What the watchdog asks of a running attempt. */
export interface LifeSigns {
  /** How long ComfyUI has run it, ms awake. */
  ranFor(): number;
  /** Touches the job in the table if the last sign of life there is old. */
  reportLife(): void;
}

/** Times are in ms that this machine was awake. */
export interface HeldJob {
  readonly jobId: string;
  /** The job takes a slot in every phase but `uploading`. */
  readonly phase: Phase;
  /** Undefined until the claim is answered. */
  readonly claimed: Claimed | undefined;
  readonly promptId: string | undefined;
  /** The client id with which this run posted the prompt: events are heard while the socket has that id. */
  readonly postedAs: string | undefined;
  /** The last sign of life of the attempt. */
  readonly aliveAt: number;
  /** When the watchdog saw the job first, and when it saw it upload first. */
  readonly heldSince: number | undefined;
  readonly uploadsSince: number | undefined;
  /** Until when a reader in another process wants previews, as the table last said; ms of the tables' clock. */
  readonly watchedUntil: number | undefined;
  /** The class of a node of its graph. */
  classOf(node: string): string | undefined;
  ranFor(): number;
  reportLife(): void;
  /** The claim is answered. */
  hold(claimed: Claimed): void;
  /** claiming → working. */
  work(promptId: string, graph: Graph, signs: LifeSigns, now: number): void;
  posted(clientId: string): void;
  showLife(now: number): void;
  /** working → uploading. */
  upload(): void;
  /** The watchdog has seen that the table still names this run. @param watchedUntil as the table says */
  seen(now: number, watchedUntil?: number): void;
  /** Settles when the attempt is broken off; at most once. */
  readonly stopped: Promise<Stop>;
  stop(reason: Stop): void;
  /** Settles with the reason when the job is to go back if it has not started. */
  readonly drained: Promise<string>;
  drain(reason: string): void;
}

export function createHeldJob(jobId: string): HeldJob {
  const stopped = signal<Stop>();
  const drained = signal<string>();
  let phase: Phase = 'claiming';
  let claimed: Claimed | undefined;
  let promptId: string | undefined;
  let postedAs: string | undefined;
  let graph: Graph = {};
  let signs: LifeSigns | undefined;
  let aliveAt = 0;
  let heldSince: number | undefined;
  let uploadsSince: number | undefined;
  let watchedUntil: number | undefined;
  return {
    jobId,
    get phase() {
      return phase;
    },
    get claimed() {
      return claimed;
    },
    get promptId() {
      return promptId;
    },
    get postedAs() {
      return postedAs;
    },
    get aliveAt() {
      return aliveAt;
    },
    get heldSince() {
      return heldSince;
    },
    get uploadsSince() {
      return uploadsSince;
    },
    get watchedUntil() {
      return watchedUntil;
    },
    classOf: (node) => graph[node]?.class_type,
    ranFor: () => signs?.ranFor() ?? 0,
    reportLife: () => signs?.reportLife(),
    hold(by) {
      claimed = by;
    },
    work(id, its, by, now) {
      phase = 'working';
      promptId = id;
      graph = its;
      signs = by;
      aliveAt = now;
    },
    posted(clientId) {
      postedAs = clientId;
    },
    showLife(now) {
      aliveAt = now;
    },
    upload() {
      phase = 'uploading';
    },
    seen(now, until) {
      heldSince ??= now;
      watchedUntil = until;
      if (phase === 'uploading') uploadsSince ??= now;
    },
    stopped: stopped.promise,
    stop: stopped.resolve,
    drained: drained.promise,
    drain: drained.resolve,
  };
}

export function takesSlot(heldJob: Pick<HeldJob, 'phase'>): boolean {
  return heldJob.phase !== 'uploading';
}
