// Which jobs this host tries to claim: those offered, and those that it finds when a slot frees or a second has passed.

import { type ComfyUIKind, fail, isDue, type Job } from '../../core/job.ts';
import { MAX_SHARDS } from '../../core/limits.ts';
import { type Graph, type Inventory, missingRequirements } from '../../core/object-info.ts';
import type { Timings } from '../../core/timings.ts';
import { traceIdOf } from '../../core/trace.ts';
import { readGraph } from '../../images/documents.ts';
import type { Images } from '../../images/images.ts';
import type { Ledger } from '../../store/ledgers.ts';
import type { Slots } from './slots.ts';
import { claimJob, type Claimed, isFor, waits } from './claim.ts';
import type { HeldJob } from './held-job.ts';
import { createWarmth, type Waiting, type WarmthDeps } from './warmth.ts';
import { writeConfirmed, type Writer } from './confirmed-write.ts';

export interface ClaimLoopDeps extends Writer, WarmthDeps {
  slots: Slots;
  ledger: Pick<Ledger, 'ended'>;
  images: Images;
  hostId: string;
  /** Which jobs are for this ComfyUI; absent: any. */
  kind?: ComfyUIKind | undefined;
  /** Jobs run by a simulated ComfyUI are marked as simulated. */
  simulated(): boolean;
  timings: Timings;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  /** ComfyUI's nodes and models; undefined before the first answer. */
  inventory(): Inventory | undefined;
  freeSlots(): number;
  /** Runs a claimed job to its end; never throws. */
  work(heldJob: HeldJob, claimed: Claimed, graph: Graph): Promise<void>;
}

/** `not-yet`: the job came back a moment ago; the loop retries it when it is due. */
export type Offered = 'will-try' | 'has-it' | 'not-yet' | 'no-slot';

export interface ClaimLoop {
  /** Returns at once; the claim is tried afterwards. */
  offer(jobId: string): Offered;
  poll(): Promise<void>;
  /** Waiting jobs that need models or nodes which this ComfyUI does not have. */
  unrunnable(): string[];
}

/** Rows of a page: as many as half a read unit has, 4 KB. */
const EXAMINED = 25;
/** How many unrunnable jobs are remembered; more than may wait. */
const UNRUNNABLE_LIMIT = 20_000;
/** How many of them the heartbeat reports. */
const UNRUNNABLE_REPORTED = 90;
/** Rows of a page behind the head, and pages of one poll: if none of the first rows can run here, later ones may. */
const PAGE = 200;
const PAGES = 50;
/** The head is read again after so long, ms awake: jobs that can run here get there too. */
const FROM_THE_HEAD_EVERY = 10_000;
/** An acceptance takes less, ms. */
const HEADLESS_AFTER = 60_000;
const LATER_LIMIT = 200;

export function createClaimLoop(deps: ClaimLoopDeps): ClaimLoop {
  const { jobs, images, slots, hostId, log, timings, now, awake } = deps;
  /** Waiting jobs that cannot run here, as of the current inventory. */
  const unrunnable = new Set<string>();
  /** Jobs that came back a moment ago, and when each is due: they do not block the jobs behind them. */
  const later = new Map<string, number>();
  /** Tried within this second and held elsewhere: the index may still list them. */
  const notNow = new Set<string>();
  let notNowSince = -Infinity;
  let knownInventory: Inventory | undefined;
  /** The rest of the last page: used for slots that free within a second. */
  let known: Waiting[] = [];
  let knownAt = -Infinity;
  /** Each poll reads the next shard of the queue, so that all shards are served alike. */
  let shard = Math.floor(Math.random() * MAX_SHARDS);
  /** Per shard, the entry up to which all jobs are unrunnable here or due later. */
  const behind = new Map<number, string>();
  let fromTheHeadAt = -Infinity;
  const warmth = createWarmth(deps);
  let polling: Promise<void> | undefined;
  let pollAgain = false;

  function fits(job: Job, graph: Graph): boolean {
    // Without an inventory nothing is known to be missing.
    const nodes = deps.inventory()?.nodes;
    const [requirement] = nodes ? missingRequirements(graph, nodes) : [];
    if (!requirement) return true;
    log.debug('job.skipped', { jobId: job.state.jobId, missing: requirement.value ?? requirement.classType });
    markUnrunnable(job.state.jobId);
    return false;
  }

  function markUnrunnable(jobId: string): void {
    if (unrunnable.size >= UNRUNNABLE_LIMIT) unrunnable.delete(unrunnable.keys().next().value!);
    unrunnable.add(jobId);
  }

  /** @param over jobs that are passed over for it */
  async function take(heldJob: HeldJob, over: readonly Waiting[]): Promise<void> {
    const { jobId } = heldJob;
    const claimed = () => warmth.settled(jobId, over);
    try {
      if (!(await tryFor(heldJob, claimed))) notNow.add(jobId);
    } catch (error) {
      // The claim was not sent: nothing is held, the job waits on.
      log.error('job.claim_failed', error, { jobId, hostId });
      notNow.add(jobId);
    } finally {
      warmth.settled(jobId, []);
      slots.forget(heldJob);
      void poll();
    }
  }

  /** Returns false if the job is not for this host now. */
  async function tryFor(heldJob: HeldJob, claimed: () => void): Promise<boolean> {
    const { jobId } = heldJob;
    const job = await jobs.read(jobId);
    if (!job) await endHeadless(jobId);
    if (!job || !waits(job.state)) return false;
    if (!isDue(job.state, now())) {
      if (later.size < LATER_LIMIT) later.set(jobId, job.state.retryAt!);
      return false;
    }
    if (!isFor(job.state, deps.kind)) {
      markUnrunnable(jobId);
      return false;
    }
    const graph = await readGraph(images, job.request);
    if (graph && !fits(job, graph)) return false;
    const claim = await claimJob(deps, job, hostId, deps.simulated(), now);
    if (!claim) return false;
    const traceId = traceIdOf(job.request);
    log.info('job.claimed', { jobId, hostId, attempt: claim.fence.attempt, traceId });
    claimed();
    if (graph) {
      await deps.work(heldJob, claim, graph);
    } else {
      const failure = { code: 'input_gone' as const, message: 'The graph of the job is gone' };
      const change = fail(claim.state, claim.fence, failure, now());
      const settled = await writeConfirmed(deps, jobId, change, claim.fence);
      if (settled === 'written') deps.ledger.ended({ ...claim.state, ...change.set });
    }
    return true;
  }

  /** Removes a state without a request: an API process ended in the middle of accepting the job. */
  async function endHeadless(jobId: string): Promise<void> {
    const state = await jobs.readState(jobId);
    if (!state || now() - state.createdAt < HEADLESS_AFTER || (await jobs.readRequest(jobId))) return;
    if (await jobs.removeWithoutRequest(jobId)) log.warn('job.incomplete_removed', { jobId });
  }

  function offer(jobId: string, over: readonly Waiting[] = []): Offered {
    if (slots.has(jobId)) return 'has-it';
    if (!isDue({ retryAt: later.get(jobId) }, now())) return 'not-yet';
    if (deps.freeSlots() === 0) return 'no-slot';
    void take(slots.add(jobId), over);
    return 'will-try';
  }

  async function readHead(): Promise<void> {
    const isNews = deps.inventory() !== knownInventory;
    if (isNews) unrunnable.clear();
    knownInventory = deps.inventory();
    if (isNews || awake() - fromTheHeadAt >= FROM_THE_HEAD_EVERY) {
      behind.clear();
      fromTheHeadAt = awake();
    }
    if (awake() - notNowSince >= timings.hostPollsEvery) {
      notNow.clear();
      notNowSince = awake();
    }
    for (const [jobId, at] of later) if (isDue({ retryAt: at }, now())) later.delete(jobId);
    const passed = unrunnable.size + later.size + notNow.size;
    const rows = Math.min(EXAMINED + passed, PAGE);
    const shards = await jobs.shards();
    shard = (shard + 1) % shards;
    for (let page = 0; page < PAGES; page += 1) {
      const found = await jobs.listShard(shard, rows, behind.get(shard));
      known = warmth
        .read(shard, found)
        .filter(({ jobId }) => !unrunnable.has(jobId) && !notNow.has(jobId) && !later.has(jobId));
      if (known.length > 0 || found.length < rows) break;
      behind.set(shard, found.at(-1)!.workOrder);
    }
    knownAt = awake();
    // Shuffled so that hosts do not all try the same job; only over as many jobs as there are hosts, since the queue's
    // order carries the fairness between owners.
    shuffle(known, Math.ceil((deps.neighbours() + 1) / shards));
  }

  async function pollOnce(): Promise<void> {
    if (deps.freeSlots() === 0) return;
    const isFresh = awake() - knownAt < timings.hostPollsEvery;
    let choice = isFresh ? warmth.choose(known) : undefined;
    if (!choice) {
      await readHead();
      choice = warmth.choose(known);
    }
    for (; choice && deps.freeSlots() > 0; choice = warmth.choose(known)) {
      const { job, over } = choice;
      known.splice(known.indexOf(job), 1);
      if (offer(job.jobId, over) === 'will-try') warmth.claiming(job);
    }
  }

  /** One poll at a time; calls in between cause one more. */
  function poll(): Promise<void> {
    pollAgain = polling !== undefined;
    polling ??= pollOnce()
      .catch((error: unknown) => log.error('queue.read_failed', error))
      .finally(() => {
        polling = undefined;
        if (pollAgain) void poll();
      });
    return polling;
  }

  return {
    offer: (jobId) => offer(jobId),
    poll,
    unrunnable: () => [...unrunnable].slice(-UNRUNNABLE_REPORTED),
  };
}

/** Shuffles the first `count` items in place. */
function shuffle(items: unknown[], count: number): void {
  for (let last = Math.min(count, items.length) - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
}
