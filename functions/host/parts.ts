// What a host consists of, put together: each part of this folder once, wired to the others. What the parts do, and how
// often: loops.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ComfyUI, ComfyUIError } from '../comfyui/client.ts';
import type { EventSocket } from '../comfyui/events.ts';
import type { Host } from '../core/host.ts';
import type { ComfyUIKind } from '../core/job-state.ts';
import { COMFYUI_STUCK, DRAIN_WAITS, HOST_START_LIMIT } from '../core/limits.ts';
import { modelsTagOf } from '../core/affinity.ts';
import type { Live } from '../core/live.ts';
import { type Graph, modelsOf } from '../core/object-info.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Images } from '../images/images.ts';
import type { ImageMetadata } from '../images/structure/walk.ts';
import type { Log } from '../log.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { createAwakeClock } from '../runtime/awake.ts';
import { sleepUpTo } from '../runtime/ticker.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';
import type { SpreadStore } from '../store/queue-spread.ts';
import type { Ledgers } from '../store/ledgers.ts';
import { type AttemptDeps, giveBackJob, runAttempt } from './attempt/attempt.ts';
import { createStats } from './attempt/stats.ts';
import type { Claimed } from './claims/claim.ts';
import { createClaimLoop } from './claims/claim-loop.ts';
import type { HeldJob } from './claims/held-job.ts';
import { watchQueueHead } from './claims/queue-head.ts';
import { slotsFor } from './claims/lookahead.ts';
import { createSlots } from './claims/slots.ts';
import { createTakeOver } from './claims/take-over.ts';
import type { Sibling } from './claims/warmth.ts';
import { createActivity } from './machine/activity.ts';
import { createDrain } from './machine/drain.ts';
import { createHeartbeat } from './machine/heartbeat.ts';
import { heartbeatOf } from './machine/heartbeat-item.ts';
import { createReadiness } from './machine/readiness.ts';
import { createRestart } from './machine/restart.ts';
import { warmUp } from './machine/warm-up.ts';
import { createStaging } from './inputs/staging.ts';
import type { InputFolder } from './inputs/folder.ts';
import { createCleanup } from './prompts/cleanup.ts';
import { watchHealth } from './prompts/health.ts';
import { watchOrphans } from './prompts/orphans.ts';
import { createPoller } from './prompts/poller.ts';
import { createPreviews } from './prompts/previews.ts';
import { createStoredPreviews } from './prompts/stored-previews.ts';
import { createStuckRule, type StuckBounds } from './prompts/stuck.ts';

export interface HostDeps {
  jobs: Jobs;
  hosts: Hosts;
  spread: Pick<SpreadStore, 'readCached'>;
  /** Where its ended jobs are counted. */
  ledgers: Pick<Ledgers, 'of'>;
  images: Images;
  comfyui: ComfyUI;
  log: Log;
  timings?: Timings | undefined;
  /** The tables' clock, ms. */
  now(): number;
  /** Milliseconds that this machine has been awake since some moment. */
  awake?: () => number;
  machineId: string;
  /** Where its machine is; absent: not on EC2. */
  zone?: string | undefined;
  /** Where its machine has several ComfyUIs: the machine, and which of them this is. */
  place?: Required<Pick<Host, 'instanceId' | 'comfyuiUrl'>> | undefined;
  /** All hosts of this process: each enters itself. */
  siblings?: Set<Sibling>;
  /** Where the forwarder reaches the intake; absent: nowhere. */
  url?: string | undefined;
  /** How many jobs it holds at once. */
  slots: number;
  /** No other host claims from its queue, now or later: it holds more where they are short. */
  isAlone?: boolean | undefined;
  /** What this machine costs; with it every job says what it cost. */
  usdPerHour?: number | undefined;
  /** What this machine runs; the controller replaces those of another release. */
  release?: string | undefined;
  metrics?: Metrics;
  /** Called at the first claim of this run, with the seconds of the parts of its start. */
  firstClaim?: (parts: Record<string, number>) => void;
  /** Which jobs are for its ComfyUI; absent: any. */
  kind?: ComfyUIKind | undefined;
  /** Whether the metadata that ComfyUI writes into an image is published with it; absent: it is. */
  imageMetadata?: ImageMetadata | undefined;
  /** ComfyUI's folder, if it is on this machine. */
  comfyuiPath?: string | undefined;
  /** Its input folder; absent: inputs are sent to it. Hosts whose ComfyUIs read one folder share it. */
  inputs?: InputFolder | undefined;
  /** A shell command that restarts a ComfyUI that is stuck. */
  restartCommand?: string | undefined;
  /** A file that exists once all models are there; absent: they are. */
  modelsReady?: string | undefined;
  /** Runs one small step before the first claim: of the first job, or of the first of these graphs. */
  warmUp?: { graphs: readonly Graph[]; limit?: number } | undefined;
  stuckBounds?: Partial<StuckBounds> | undefined;
  drainWaits?: Partial<typeof DRAIN_WAITS> | undefined;
  /** Who listens to previews in this process; absent: those who look are in others. */
  live?: Pick<Live, 'isHeard' | 'show'> | undefined;
}

export type HostParts = ReturnType<typeof createParts>;

/** @param stopLoops ends what loops.ts started */
export function createParts(deps: HostDeps, hostId: string, stopLoops: () => Promise<void>) {
  const { jobs, hosts, images, comfyui, log, timings = TIMINGS, now, machineId } = deps;
  // Spans are judged by it: the tables' clock may be set.
  const awake = deps.awake ?? createAwakeClock(5 * timings.hostPollsEvery);
  const startedAt = now();
  let { firstClaim } = deps;
  let models: string[] = [];
  let loaded: string | undefined;
  let socket: EventSocket | undefined;

  const slots = createSlots(() => slotsFor(deps.slots, deps.isAlone === true, stats.jobSeconds()));
  const activity = createActivity(awake, HOST_START_LIMIT);
  const ledger = deps.ledgers.of(hostId);
  const stats = createStats(deps.metrics ?? createMetrics('host', undefined));
  const health = watchHealth(
    comfyui,
    images,
    log,
    () => performance.now(),
    () => readiness.modelsCome,
    timings,
  );
  const orphans = watchOrphans(comfyui, jobs, slots.has, machineId, log);
  const head = watchQueueHead({
    slots,
    health,
    rule: createStuckRule({ ...COMFYUI_STUCK, ...deps.stuckBounds }, awake),
    restart: createRestart(deps.restartCommand, comfyui.url, log, awake),
    machineId,
  });
  const poller = createPoller(comfyui, log, (items, running) => {
    // Until the take-over is done, what looks like an orphan may be a job to adopt.
    if (takeOver.isDone) orphans.seen(items);
    head.judge(items[0]?.item, running > 0);
  });
  const previews = createPreviews(
    deps.live ??
      createStoredPreviews({
        images,
        log,
        now,
        awake,
        watchedUntil: (jobId) => slots.all().find((heldJob) => heldJob.jobId === jobId)?.watchedUntil,
      }),
    (promptId) => slots.all().find((heldJob) => heldJob.promptId === promptId)?.jobId,
    awake,
  );
  const cleanup = createCleanup(comfyui, deps.comfyuiPath, log, awake);

  const pause = (attempt: number) =>
    sleepUpTo(Math.min(timings.hostPausesFor * 2 ** attempt, timings.hostPausesAtMost));
  const attemptDeps: AttemptDeps = {
    cleanup,
    staging: createStaging({ comfyui, images, inputs: deps.inputs, log, awake, pause }),
    stats,
    ledger,
    orphans,
    jobs,
    images,
    comfyui,
    poller,
    log,
    timings,
    machineId,
    usdPerHour: deps.usdPerHour,
    taken: new Map(),
    otherPrompts: (jobId) => slots.all().flatMap((job) => (job.jobId === jobId ? [] : (job.promptId ?? []))),
    imageMetadata: deps.imageMetadata,
    health,
    clientId: () => socket?.clientId() ?? machineId,
    now,
    awake,
    pause,
    slotFreed: () => void claimLoop.poll(),
  };

  /** What ComfyUI has in memory once it has run this; a graph without models displaces none. */
  function loads(graph: Graph): void {
    models = modelsOf(graph);
    loaded = modelsTagOf(graph) ?? loaded;
  }

  /** @param posted its prompt is in ComfyUI already. Never throws. */
  async function work(heldJob: HeldJob, claimed: Claimed, graph: Graph, posted: boolean): Promise<void> {
    activity.busy();
    firstClaim?.(readiness.parts);
    firstClaim = undefined;
    try {
      loads(graph);
      await runAttempt(attemptDeps, heldJob, claimed, graph, posted);
    } catch (error) {
      log.error('attempt.crashed', error, { jobId: heldJob.jobId, hostId, attempt: claimed.fence.attempt });
      const how = { spaced: true, charged: true };
      await giveBackJob(attemptDeps, heldJob, claimed, 'the GPU host failed', how);
    }
  }

  const takeOver = createTakeOver({
    ...attemptDeps,
    health,
    hosts,
    hostId,
    slots,
    resume: (heldJob, claimed, graph) => work(heldJob, claimed, graph, true),
    giveBack: (heldJob, claimed, reason) =>
      giveBackJob(attemptDeps, heldJob, claimed, reason, { spaced: true }),
  });

  const wanted = deps.warmUp;
  const readiness = createReadiness({
    jobs,
    images,
    log,
    awake,
    health,
    kind: deps.kind,
    modelsReady: deps.modelsReady,
    graphs: wanted?.graphs ?? [],
    onReady: activity.busy,
    warmUp:
      wanted &&
      ((warm) => {
        loads(warm.graph);
        return warmUp({ ...attemptDeps, nodes: () => health.inventory?.nodes, limit: wanted.limit }, warm);
      }),
  });

  const siblings = () => [...(deps.siblings ?? [])].filter((sibling) => sibling !== self);
  /** Those of this process are known before the controller has counted. */
  const neighbours = () => Math.max(heartbeat.neighbours(), siblings().length);
  const self: Sibling = {
    loaded: () => loaded,
    freeSlots: () => {
      const mayClaim = takeOver.isDone && !drain.isDraining && health.takesJobs && !heartbeat.looksDead();
      return mayClaim && !orphans.any() ? slots.freeSlots() : 0;
    },
  };
  deps.siblings?.add(self);

  const claimLoop = createClaimLoop({
    ...attemptDeps,
    slots,
    hostId,
    kind: deps.kind,
    simulated: () => health.simulated,
    inventory: () => health.inventory,
    ...self,
    siblings,
    neighbours,
    work: (heldJob, claimed, graph) => work(heldJob, claimed, graph, false),
  });

  const identity = {
    hostId,
    machineId,
    ...deps.place,
    ...(deps.zone !== undefined && { zone: deps.zone }),
    url: deps.url,
    slots: deps.slots,
    startedAt,
    release: deps.release,
  };
  const heartbeat = createHeartbeat({
    hosts,
    spread: deps.spread,
    log,
    timings,
    hostId,
    now,
    item: () =>
      heartbeatOf(identity, health, {
        now: now(),
        draining: drain.isDraining,
        retired: heartbeat.isRetired(),
        held: slots.size(),
        models,
        loaded,
        unrunnable: claimLoop.unrunnable(),
        jobSeconds: stats.jobSeconds(),
      }),
  });

  const drain = createDrain({
    slots,
    hosts,
    hostId,
    log,
    timings,
    awake,
    pause: attemptDeps.pause,
    report: () => heartbeat.report(),
    async stopLoops() {
      await stopLoops();
      await ledger.write().catch((error: unknown) => log.error('round.failed', error, { round: 'ledger' }));
      await cleanup.remove();
      socket?.close();
    },
    waits: { ...DRAIN_WAITS, ...deps.drainWaits },
  });

  return {
    hostId,
    timings,
    awake,
    activity,
    claimLoop,
    cleanup,
    drain,
    head,
    health,
    heartbeat,
    orphans,
    poller,
    previews,
    readiness,
    slots,
    takeOver,
    ledger,
    /** Events of ComfyUI come by it from now on. */
    listen(to: EventSocket) {
      socket = to;
    },
    /** A claim that is merely tried, of a job that cannot run here, must not keep a machine up. */
    holds: () => slots.all().some(({ claimed }) => claimed !== undefined),
  };
}

/** Resolves with the first answer of ComfyUI and its inventory, or after `limit` ms. */
export async function firstHealth(health: HostParts['health'], limit: number): Promise<void> {
  await Promise.race([health.poll().then(() => health.inventoryTaken()), sleep(limit)]);
}

/** Reads ComfyUI's queue. A ComfyUI that cannot be read is reported, not thrown. */
export async function pollQueue({ poller, health }: HostParts, log: Log): Promise<void> {
  try {
    await poller.poll();
    health.queueRead(undefined);
  } catch (error) {
    if (!(error instanceof ComfyUIError)) throw error;
    log.debug('comfyui.poll_failed', { error: error.message });
    if (health.answers) health.queueRead(error);
  }
}
