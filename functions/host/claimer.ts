// Which jobs this host tries for: those offered, and those that it finds when a slot frees or a second has passed.

import { type ComfyUIKind, fail, isDue } from '../core/job.ts';
import { HOST_LOOKS_EVERY, MAX_SHARDS } from '../core/limits.ts';
import { type Graph, type Inventory, lacks } from '../core/object-info.ts';
import { readGraph } from '../images/documents.ts';
import type { Images } from '../images/images.ts';
import type { Job } from '../store/jobs.ts';
import type { Board } from './board.ts';
import { claimJob, type Claimed, isFor, waits } from './claim.ts';
import type { JobRecord } from './record.ts';
import { settle, type Settler } from './settle.ts';

export interface ClaimerDeps extends Settler {
  board: Board;
  images: Images;
  hostId: string;
  /** Which jobs are for this ComfyUI; any where it is not said. */
  kind?: ComfyUIKind | undefined;
  /** Everything from a simulated ComfyUI is marked as such. */
  simulated(): boolean;
  now(): number;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  /** What ComfyUI has; undefined before it was asked. */
  inventory(): Inventory | undefined;
  freeSlots(): number;
  /** How many other hosts look at the same queue. */
  neighbours(): number;
  /** Sees a claimed job to its end; never throws. */
  work(record: JobRecord, claimed: Claimed, graph: Graph): Promise<void>;
}

/** `not-yet`: it came back a moment ago, and is tried again by itself. */
export type Offered = 'will-try' | 'has-it' | 'not-yet' | 'no-slot';

export interface Claimer {
  /** Answers at once; the trying goes on by itself. */
  offer(jobId: string): Offered;
  look(): Promise<void>;
  /** Waiting jobs whose models or nodes this ComfyUI lacks. */
  leftAlone(): string[];
}

const LOOKED_AT = 10;
/** So many jobs that cannot run here are known; more than may wait. */
const LEFT_ALONE_LIMIT = 20_000;
/** Of those, so many are told. */
const LEFT_ALONE_TOLD = 90;
/** Rows of one page behind the head, and pages of one look: where none of the first can run here, the next may. */
const PAGE = 200;
const PAGES = 50;
/** The head is looked at again, awake ms: what may run here stands there too, by and by. */
const FROM_THE_HEAD_EVERY = 10_000;
/** An acceptance takes no minute, ms. */
const HEADLESS_AFTER = 60_000;
const LATER_LIMIT = 200;

export function createClaimer(deps: ClaimerDeps): Claimer {
  const { jobs, images, board, hostId, log, now, awake } = deps;
  /** Waiting jobs whose models or nodes this ComfyUI lacks, as far as this inventory knew. */
  const leftAlone = new Set<string>();
  /** Jobs that came back a moment ago, and when each is due: what stands behind them is not held up. */
  const later = new Map<string, number>();
  /** Tried within this second and found to be somebody else's: the index may show them still. */
  const notNow = new Set<string>();
  let notNowSince = -Infinity;
  let knownInventory: Inventory | undefined;
  /** The rest of the head that was read last: good for the slots that free within a second. */
  let known: string[] = [];
  let knownAt = -Infinity;
  /** Each look is at the next shard of the queue: so all are served alike, whichever hosts there are. */
  let shard = Math.floor(Math.random() * MAX_SHARDS);
  /** Of each shard the place behind which nobody has looked yet: all before it was left alone, or is tried later. */
  const behind = new Map<number, string>();
  let fromTheHeadAt = -Infinity;
  let looking: Promise<void> | undefined;
  let lookAgain = false;

  function fits(job: Job, graph: Graph): boolean {
    // Of a ComfyUI that does not tell what it has nothing is known to lack.
    const nodes = deps.inventory()?.nodes;
    const [lack] = nodes ? lacks(graph, nodes) : [];
    if (!lack) return true;
    log.debug('job.skipped', { jobId: job.state.jobId, missing: lack.value ?? lack.classType });
    leaveAlone(job.state.jobId);
    return false;
  }

  function leaveAlone(jobId: string): void {
    if (leftAlone.size >= LEFT_ALONE_LIMIT) leftAlone.delete(leftAlone.keys().next().value!);
    leftAlone.add(jobId);
  }

  async function take(record: JobRecord): Promise<void> {
    const { jobId } = record;
    try {
      if (!(await tryFor(record))) notNow.add(jobId);
    } catch (error) {
      // Before the claim was sent: nothing is held, the job waits on.
      log.error('job.claim_failed', error, { jobId, hostId });
      notNow.add(jobId);
    } finally {
      board.forget(record);
      void look();
    }
  }

  /** False: it is not for this host now. */
  async function tryFor(record: JobRecord): Promise<boolean> {
    const { jobId } = record;
    const job = await jobs.read(jobId);
    if (!job) await endHeadless(jobId);
    if (!job || !waits(job.state)) return false;
    if (!isDue(job.state, now())) {
      if (later.size < LATER_LIMIT) later.set(jobId, job.state.retryAt!);
      return false;
    }
    if (!isFor(job.state, deps.kind)) {
      leaveAlone(jobId);
      return false;
    }
    const graph = await readGraph(images, job.request);
    if (graph && !fits(job, graph)) return false;
    const claimed = await claimJob(deps, job, hostId, deps.simulated(), now);
    if (!claimed) return false;
    log.info('job.claimed', { jobId, hostId, attempt: claimed.fence.attempt });
    if (graph) {
      await deps.work(record, claimed, graph);
    } else {
      const failure = { code: 'input_gone' as const, message: 'The graph of the job is gone' };
      await settle(deps, jobId, fail(claimed.state, claimed.fence, failure, now()), claimed.fence);
    }
    return true;
  }

  /** It would stand in the queue for ever: a process that ended in the midst of accepting it has left it so. */
  async function endHeadless(jobId: string): Promise<void> {
    const state = await jobs.readState(jobId);
    if (!state || now() - state.createdAt < HEADLESS_AFTER || (await jobs.readRequest(jobId))) return;
    if (await jobs.removeHeadless(jobId)) log.warn('job.incomplete_removed', { jobId });
  }

  function offer(jobId: string): Offered {
    if (board.has(jobId)) return 'has-it';
    if (!isDue({ retryAt: later.get(jobId) }, now())) return 'not-yet';
    if (deps.freeSlots() === 0) return 'no-slot';
    void take(board.add(jobId));
    return 'will-try';
  }

  async function readHead(): Promise<void> {
    const isNews = deps.inventory() !== knownInventory;
    if (isNews) leftAlone.clear();
    knownInventory = deps.inventory();
    if (isNews || awake() - fromTheHeadAt >= FROM_THE_HEAD_EVERY) {
      behind.clear();
      fromTheHeadAt = awake();
    }
    if (awake() - notNowSince >= HOST_LOOKS_EVERY) {
      notNow.clear();
      notNowSince = awake();
    }
    for (const [jobId, at] of later) if (isDue({ retryAt: at }, now())) later.delete(jobId);
    const passed = leftAlone.size + later.size + notNow.size;
    const rows = Math.min(LOOKED_AT + passed, PAGE);
    const shards = await jobs.shards();
    shard = (shard + 1) % shards;
    for (let page = 0; page < PAGES; page += 1) {
      const found = await jobs.listShard(shard, rows, behind.get(shard));
      known = found
        .map(({ jobId }) => jobId)
        .filter((jobId) => !leftAlone.has(jobId) && !notNow.has(jobId) && !later.has(jobId));
      if (known.length > 0 || found.length < rows) break;
      behind.set(shard, found.at(-1)!.workOrder);
    }
    knownAt = awake();
    // So that hosts do not all run for the same job; no further than there are hosts, or the queue's order, and with
    // it the fairness between owners, would be worth little.
    shuffle(known, Math.ceil((deps.neighbours() + 1) / shards));
  }

  async function lookOnce(): Promise<void> {
    if (deps.freeSlots() === 0) return;
    if (known.length === 0 || awake() - knownAt >= HOST_LOOKS_EVERY) await readHead();
    while (known.length > 0 && deps.freeSlots() > 0) offer(known.shift()!);
  }

  /** One at a time; whatever asks meanwhile is answered by one more. */
  function look(): Promise<void> {
    lookAgain = looking !== undefined;
    looking ??= lookOnce()
      .catch((error: unknown) => log.error('queue.read_failed', error))
      .finally(() => {
        looking = undefined;
        if (lookAgain) void look();
      });
    return looking;
  }

  return { offer, look, leftAlone: () => [...leftAlone].slice(-LEFT_ALONE_TOLD) };
}

/** The first `count` of them. */
function shuffle(items: string[], count: number): void {
  for (let last = Math.min(count, items.length) - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
}
