// Every write that the tables accepted, in order, and what each made of the job: the run's own memory, held against
// the protocol write by write. Source of the rules: docs/architecture.md, "States". Asks nobody anything.

import { isDeepStrictEqual } from 'node:util';
import type { Host } from '../../functions/core/host.ts';
import type { JobState } from '../../functions/core/job.ts';
import { SLOTS_PER_HOST } from '../../functions/core/limits.ts';
import { attemptPromptId } from '../../functions/core/names.ts';
import { SCALED } from './scaled.ts';
import type { Starvation } from './starvation.ts';

export type Verb =
  | 'account'
  | 'accept'
  | 'claim'
  | 'adopt'
  | 'start'
  | 'advance'
  | 'touch'
  | 'complete'
  | 'fail'
  | 'cancel'
  | 'lose'
  | 'release'
  | 'sweep'
  | 'other';

export interface Version {
  state: JobState;
  verb: Verb;
  /** The process and its run, as in `host0.2`. */
  by: string;
  /** Between these two the table made it so. */
  sentAt: number;
  at: number;
}

export interface Violation {
  check: string;
  jobId?: string;
  detail: string;
}

export interface HostRun {
  hostId: string;
  by: string;
  item: Host | undefined;
  /** When accepted heartbeats were first sent. */
  seen: number[];
  removedAt?: number;
}

export interface Write {
  by: string;
  /** The first try of this call. */
  madeAt: number;
  sentAt: number;
  at: number;
  /** The SDK's, the same for every repetition of one call. */
  invocation?: string;
}

/** More than a stop or a stall can be, less than a clock that is off. */
const FAR_OFF = 30_000;

const TERMINAL = ['completed', 'failed', 'cancelled'];
const HOST_VERBS: readonly Verb[] = ['start', 'advance', 'touch', 'complete', 'lose', 'release'];
export const SHOWS_LIFE: readonly Verb[] = ['start', 'advance', 'touch'];
export const processOf = (by: string) => by.replace(/\.\d+$/, '');

export class Ledger {
  readonly jobs = new Map<string, Version[]>();
  readonly hosts = new Map<string, HostRun>();
  readonly violations: Violation[] = [];
  /** Prompts whose success ComfyUI told, and when. */
  readonly succeeded = new Map<string, number>();
  readonly posts = new Map<string, number>();
  /** What the bucket confirmed: key → puts. */
  readonly images = new Map<string, { at: number; digest: string }[]>();
  readonly #writes = new Set<string>();
  readonly #starvation: Pick<Starvation, 'during'>;

  constructor(starvation: Pick<Starvation, 'during'>) {
    this.#starvation = starvation;
  }

  violate(check: string, detail: string, jobId?: string): void {
    this.violations.push({ check, detail, ...(jobId !== undefined && { jobId }) });
  }

  now(jobId: string): JobState | undefined {
    return this.jobs.get(jobId)?.at(-1)?.state;
  }

  posted(promptId: string): void {
    const times = (this.posts.get(promptId) ?? 0) + 1;
    this.posts.set(promptId, times);
    if (times > 1) this.violate('posted once', `the prompt ${promptId} was posted ${times} times`);
  }

  stored({ key, at, digest }: { key: string; at: number; digest: string }): void {
    const puts = this.images.get(key) ?? [];
    if (puts.length > 0 && puts.at(-1)!.digest !== digest)
      this.violate('nothing overwritten', `${key} was stored again with other bytes`);
    this.images.set(key, [...puts, { at, digest }]);
  }

  host(hostId: string, item: Host | undefined, { by, at, madeAt }: Write): void {
    if (item && Math.abs(item.seenAt - madeAt) > FAR_OFF)
      this.violate('the clock of the tables', `${by} says it is ${item.seenAt - madeAt} ms off`);
    const run = this.hosts.get(hostId) ?? { hostId, by, item: undefined, seen: [] };
    this.hosts.set(hostId, run);
    run.item = item;
    // A heartbeat that was long on its way is as old as its first try.
    if (item) run.seen.push(madeAt);
    if (item) delete run.removedAt;
    else run.removedAt = at;
  }

  /** Was this run's item there and fresh all the time? Judged with less than the limit: clocks err. */
  livedThrough(hostId: string, from: number, to: number): boolean {
    const run = this.hosts.get(hostId);
    if (!run || run.seen.length === 0 || (run.removedAt !== undefined && run.removedAt < to)) return false;
    const limit = SCALED.deadAfter - SCALED.clockError;
    const beats = run.seen.filter((at) => at <= to);
    let last = beats.findLast((at) => at <= from) ?? -Infinity;
    for (const beat of [...beats.filter((at) => at > from), to]) {
      if (beat - last > limit) return false;
      last = beat;
    }
    return true;
  }

  /** Takes a slot: held, and not known to be past ComfyUI. */
  takesSlot(state: JobState, at: number): boolean {
    const ended = this.succeeded.get(attemptPromptId(state.jobId, state.attempt));
    return state.work === 'held' && !(ended !== undefined && ended <= at);
  }

  heldBy(hostId: string, at: number): JobState[] {
    return [...this.jobs.values()].flatMap((versions) => {
      const { state } = versions.at(-1)!;
      return state.host === hostId && this.takesSlot(state, at) ? [state] : [];
    });
  }

  job(next: JobState, write: Write): void {
    const { jobId } = next;
    const versions = this.jobs.get(jobId) ?? [];
    const before = versions.at(-1)?.state;
    const verb = verbOf(before, next, write.by);
    this.jobs.set(jobId, [...versions, { state: next, verb, ...write }]);
    const wrong = (check: string, detail: string) =>
      this.violate(check, `${detail} (${verb} by ${write.by})`, jobId);

    const once = `${write.invocation} ${jobId}`;
    if (write.invocation !== undefined) {
      if (this.#writes.has(once)) wrong('each write once', 'one call was accepted twice');
      this.#writes.add(once);
    }
    const held = next.work === 'held';
    if (held !== (next.host !== undefined)) wrong('held by a host', `work ${next.work}, host ${next.host}`);
    if (TERMINAL.includes(next.status) !== (next.work === undefined))
      wrong('held by a host', `status ${next.status}, work ${next.work}`);
    if (!before) {
      if (verb !== 'accept') wrong('states', 'began otherwise than by being accepted');
      return;
    }
    if (TERMINAL.includes(before.status) && verb !== 'account')
      wrong('the end is the end', `${before.status} → ${next.status}`);
    if (verb === 'other') wrong('states', `${brief(before)} → ${brief(next)}`);
    this.#judgeFence(before, next, verb, write, wrong);
    this.#judgeCounters(before, next, verb, wrong);
    if (verb === 'claim' || verb === 'adopt') this.#judgeHolder(next, write, wrong);
    if (before.host !== undefined && write.by.startsWith('controller'))
      this.#judgeSweep(before, next, write, wrong);
    if (verb === 'complete') this.#judgeImages(next, write, wrong);
  }

  #judgeFence(
    before: JobState,
    next: JobState,
    verb: Verb,
    { by }: Write,
    wrong: (check: string, detail: string) => void,
  ): void {
    const holder = before.host === undefined ? undefined : this.hosts.get(before.host)?.by;
    const byHost = HOST_VERBS.includes(verb) || (verb === 'fail' && by.startsWith('host'));
    if (byHost && holder !== by) wrong('the fence', `${holder ?? 'nobody'} held it`);
    if (verb === 'claim' && (before.host !== undefined || next.attempt !== before.attempt + 1))
      wrong('the fence', `claimed from ${brief(before)} to ${brief(next)}`);
    if (verb === 'adopt' && processOf(holder ?? '') !== processOf(by))
      wrong('the fence', `adopted from ${holder}`);
  }

  #judgeCounters(
    before: JobState,
    next: JobState,
    verb: Verb,
    wrong: (check: string, detail: string) => void,
  ): void {
    const exhausted = ['lost_too_often', 'too_many_attempts'].includes(next.errorCode ?? '');
    const lost =
      before.status === 'processing' &&
      (verb === 'lose' || verb === 'release' || verb === 'sweep' || (verb === 'fail' && exhausted));
    if (next.lostAttempts !== before.lostAttempts + (lost ? 1 : 0))
      wrong(
        'lost attempts',
        `${before.lostAttempts} → ${next.lostAttempts}, of an attempt that was ${lost ? '' : 'not '}lost`,
      );
    if (next.attempt < before.attempt || (verb !== 'claim' && next.attempt !== before.attempt))
      wrong('states', `attempt ${before.attempt} → ${next.attempt}`);
    if (next.progress < before.progress && !(verb === 'lose' || verb === 'sweep' || verb === 'release'))
      wrong('progress', `${before.progress} → ${next.progress}`);
    if (next.workOrder !== before.workOrder) wrong('states', 'its turn changed');
  }

  #judgeHolder(next: JobState, { by, at }: Write, wrong: (check: string, detail: string) => void): void {
    const run = this.hosts.get(next.host ?? '');
    if (!run?.item) return wrong('held by a host', 'the holder has no item');
    if (run.by !== by) wrong('the fence', `${by} wrote for ${run.by}`);
    const held = this.heldBy(run.hostId, at);
    if (held.length <= SLOTS_PER_HOST) return;
    // ComfyUI's word that one has ended may still be on its way here.
    setTimeout(() => {
      const taken = held.filter((state) => this.takesSlot(state, at));
      if (taken.length > SLOTS_PER_HOST)
        wrong('slots', `${by} held ${taken.length} of ${SLOTS_PER_HOST} slots`);
    }, 500).unref();
  }

  /** The controller may take a job from a host that was dead or gone at some moment while it held it, or hung. */
  #judgeSweep(
    before: JobState,
    next: JobState,
    { sentAt }: Write,
    wrong: (check: string, detail: string) => void,
  ): void {
    const versions = this.jobs.get(next.jobId)!;
    const held = versions.findLast(({ verb }) => verb === 'claim' || verb === 'adopt');
    const since = held?.at ?? -Infinity;
    const alive = versions.slice(0, -1).findLast(({ verb }) => SHOWS_LIFE.includes(verb));
    const hung =
      before.status === 'processing' && sentAt - (alive?.sentAt ?? 0) > SCALED.deadline - SCALED.clockError;
    // A heartbeat waits for a core before it is sent, and ages meanwhile.
    if (this.#starvation.during(since, sentAt)) return;
    if (!hung && this.livedThrough(before.host ?? '', since, sentAt))
      wrong('swept from the dead', `${this.hosts.get(before.host ?? '')?.by} was alive while it held it`);
  }

  #judgeImages(next: JobState, { sentAt }: Write, wrong: (check: string, detail: string) => void): void {
    for (const { filename } of next.outputs ?? []) {
      const key = imageKey(next, filename);
      if (!this.images.get(key)?.some(({ at }) => at <= sentAt))
        wrong('images first', `${key} was not stored when the job was completed`);
    }
  }
}

/** As the architecture has it: job and attempt. */
export function imageKey({ jobId, attempt }: JobState, filename: string): string {
  return `images/${jobId.replaceAll('-', '')}/${attempt}/${filename}`;
}

export function brief({ status, attempt, lostAttempts, host, work, progress }: JobState): string {
  return `${status} ${work ?? '-'} attempt ${attempt} lost ${lostAttempts} host ${host?.slice(-6) ?? '-'} progress ${progress}`;
}

/** Nothing changed but what it took of a GPU. */
function isAccounted(before: JobState, next: JobState): boolean {
  const { gpuMs, costMicroUsd, ...rest } = next;
  const { gpuMs: gpuMsBefore, costMicroUsd: costBefore, ...restBefore } = before;
  const rose = (gpuMs ?? 0) > (gpuMsBefore ?? 0) && (costMicroUsd ?? 0) >= (costBefore ?? 0);
  return rose && isDeepStrictEqual(rest, restBefore);
}

function verbOf(before: JobState | undefined, next: JobState, by: string): Verb {
  if (!before) return next.status === 'queued' && next.work === 'waiting' ? 'accept' : 'other';
  if (next.status === 'completed') return 'complete';
  if (before.status === 'cancelled' && isAccounted(before, next)) return 'account';
  if (next.status === 'cancelled') return 'cancel';
  if (next.status === 'failed') return 'fail';
  if (next.host !== undefined && next.attempt !== before.attempt) return 'claim';
  if (next.host !== undefined && next.host !== before.host) return before.host ? 'adopt' : 'claim';
  if (next.host === undefined) {
    if (by.startsWith('controller')) return 'sweep';
    return before.status === 'processing' ? 'lose' : 'release';
  }
  if (before.status === 'queued' && next.status === 'processing') return 'start';
  if (before.status === 'processing' && next.progress !== before.progress) return 'advance';
  if (before.status === 'processing' && next.progressAt !== before.progressAt) return 'touch';
  return 'other';
}
