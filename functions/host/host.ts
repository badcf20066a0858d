// The GPU host: claims jobs for one ComfyUI, as many as it has slots, and sees each to its end. Composes the parts of
// this folder and owns their clocks. Source: docs/architecture.md, "The host process".

import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ComfyUI, ComfyUIError, type QueueItem } from '../comfyui/client.ts';
import { connectEvents, type EventSocket } from '../comfyui/events.ts';
import type { Host } from '../core/host.ts';
import type { ComfyUIKind } from '../core/job-state.ts';
import { COMFYUI_STUCK, DRAIN_WAITS, HOST_START_LIMIT } from '../core/limits.ts';
import { readPromptTag } from '../core/prompt-tag.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';
import { type Graph, modelsOf } from '../core/object-info.ts';
import { readGraph } from '../images/documents.ts';
import type { Images } from '../images/images.ts';
import type { ImageMetadata } from '../images/structure/walk.ts';
import type { Log } from '../log.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import type { Hosts } from '../store/hosts.ts';
import type { Jobs } from '../store/jobs.ts';
import type { SpreadStore } from '../store/spread.ts';
import { type AttemptDeps, giveBackJob, NOT_ANSWERING, runAttempt } from './attempt/attempt.ts';
import { createSlots } from './claims/slots.ts';
import type { Claimed } from './claims/claim.ts';
import { createClaimLoop } from './claims/claim-loop.ts';
import type { TakesOffers } from './claims/intake.ts';
import { watchComfyUI } from './prompts/health.ts';
import { createHeartbeat } from './machine/heartbeat.ts';
import { keep } from './claims/watchdog.ts';
import { heartbeatOf } from './machine/item.ts';
import { createCleanup } from './prompts/cleanup.ts';
import { createPoller } from './prompts/poller.ts';
import { createReadiness } from './machine/readiness.ts';
import type { HeldJob } from './claims/held-job.ts';
import { hostIdOf, recover } from './claims/recover.ts';
import { watchOrphans } from './prompts/orphans.ts';
import { createRestart } from './machine/restart.ts';
import { createStuckRule, type StuckBounds } from './prompts/stuck.ts';
import { createStats } from './attempt/stats.ts';
import { warmUp } from './machine/warm-up.ts';
import type { Retirable } from './machine/retirement.ts';
import { createAwakeClock } from '../runtime/awake.ts';
import { every, sleepUpTo } from '../runtime/ticker.ts';

export interface HostDeps {
  jobs: Jobs;
  hosts: Hosts;
  spread: Pick<SpreadStore, 'glance'>;
  images: Images;
  comfyui: ComfyUI;
  log: Log;
  timings?: Timings | undefined;
  /** The tables' clock, ms. */
  now(): number;
  /** Milliseconds that this machine has been awake since some moment. */
  awake?: () => number;
  machineId: string;
  /** Where the forwarder reaches the intake. */
  url: string;
  slots: number;
  /** What this machine costs; with it every job says what it cost. */
  usdPerHour?: number | undefined;
  /** What this machine runs; where it is said, the controller rolls those with another. */
  release?: string | undefined;
  metrics?: Metrics;
  /** Called when a job is held for the first time in this run, with the seconds of the parts of its start. */
  firstClaim?: (parts: Record<string, number>) => void;
  /** Which jobs are for its ComfyUI; any where it is not said. */
  kind?: ComfyUIKind | undefined;
  /** Whether what ComfyUI writes into an image about its making is published with it; kept where it is not said. */
  imageMetadata?: ImageMetadata | undefined;
  /** ComfyUI's folder, where it is within reach. */
  comfyuiPath?: string | undefined;
  /** A shell's, which restarts a ComfyUI that is stuck. */
  restartCommand?: string | undefined;
  /** A file that is there once all models are; absent: they are. */
  modelsReady?: string | undefined;
  /** Runs one small step before the first claim: of the first job, or of the first of these graphs. */
  warmUp?: { graphs: readonly Graph[]; limit?: number } | undefined;
  stuckBounds?: Partial<StuckBounds> | undefined;
  drainWaits?: Partial<typeof DRAIN_WAITS> | undefined;
}

export interface RunningHost extends TakesOffers, Retirable {
  hostId: string;
}

const FIRST_POLL = 2000;

/** Resolves once the own item is written. Claims as soon as ComfyUI answers and former runs are taken over from. */
export async function startHost(deps: HostDeps): Promise<RunningHost> {
  const { jobs, hosts, images, comfyui, log, timings = TIMINGS, now, machineId } = deps;
  const hostId = hostIdOf(machineId, randomUUID());
  const intakeSecret = randomBytes(32).toString('hex');
  const startedAt = now();
  let recovered = false;
  let draining = false;
  let drainingSince: number | undefined;
  let { firstClaim } = deps;
  // What is judged here is judged by it: the tables' clock may be set.
  const awake = deps.awake ?? createAwakeClock(5 * timings.hostPollsEvery);
  let busyAt = awake();
  let models: string[] = [];
  let socket: EventSocket | undefined;

  const slots = createSlots(deps.slots);
  const watch = watchComfyUI(
    comfyui,
    images,
    log,
    () => performance.now(),
    () => readiness.modelsCome,
    timings,
  );
  const orphans = watchOrphans(comfyui, jobs, slots, machineId, log);
  const stuck = createStuckRule({ ...COMFYUI_STUCK, ...deps.stuckBounds }, awake);
  const restart = createRestart(deps.restartCommand, log, awake);
  const poller = createPoller(comfyui, log, (items, running) => {
    // Before the recovery what looks like a stray may be a job to adopt.
    if (recovered) orphans.seen(items);
    judgeHead(items[0]?.item, running > 0);
  });
  const cleanup = createCleanup(comfyui, deps.comfyuiPath, log, awake);
  const stats = createStats(deps.metrics ?? createMetrics('host', undefined));
  const attemptDeps: AttemptDeps = {
    cleanup,
    stats,
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
    imageMetadata: deps.imageMetadata,
    watch,
    clientId: () => socket?.clientId() ?? machineId,
    now,
    awake,
    pause: (attempt) => sleepUpTo(Math.min(timings.hostPausesFor * 2 ** attempt, timings.hostPausesAtMost)),
    slotFreed: () => void claimLoop.poll(),
  };
  const wanted = deps.warmUp;
  const readiness = createReadiness({
    jobs,
    images,
    log,
    awake,
    watch,
    kind: deps.kind,
    modelsReady: deps.modelsReady,
    graphs: wanted?.graphs ?? [],
    onReady: () => {
      busyAt = awake();
    },
    warmUp:
      wanted &&
      ((work) => warmUp({ ...attemptDeps, nodes: () => watch.inventory?.nodes, limit: wanted.limit }, work)),
  });
  const claimLoop = createClaimLoop({
    ...attemptDeps,
    slots,
    hostId,
    kind: deps.kind,
    simulated: () => watch.simulated,
    inventory: () => watch.inventory,
    freeSlots: () =>
      recovered && !draining && watch.takesJobs && !life.looksDead() && !orphans.any()
        ? slots.freeSlots()
        : 0,
    neighbours: () => life.neighbours(),
    work: (heldJob, claimed, graph) => work(heldJob, claimed, graph, false),
  });

  async function work(heldJob: HeldJob, claimed: Claimed, graph: Graph, posted: boolean): Promise<void> {
    busyAt = awake();
    firstClaim?.(readiness.parts);
    firstClaim = undefined;
    try {
      models = modelsOf(graph);
      await runAttempt(attemptDeps, heldJob, claimed, graph, posted);
    } catch (error) {
      log.error('attempt.crashed', error, { jobId: heldJob.jobId, hostId, attempt: claimed.fence.attempt });
      const how = { spaced: true, charged: true };
      await giveBackJob(attemptDeps, heldJob, claimed, 'the GPU host made a mistake', how);
    }
  }

  async function resume(heldJob: HeldJob, claimed: Claimed): Promise<void> {
    try {
      const graph = await readGraph(images, claimed.request);
      if (graph) await work(heldJob, claimed, graph, true);
      else await giveBackJob(attemptDeps, heldJob, claimed, 'its graph is gone', { spaced: true });
    } catch (error) {
      log.error('job.adopt_failed', error, { jobId: heldJob.jobId, hostId, attempt: claimed.fence.attempt });
      await giveBackJob(attemptDeps, heldJob, claimed, 'its graph could not be read', { spaced: true });
    } finally {
      slots.forget(heldJob);
      void claimLoop.poll();
    }
  }

  /** As soon as ComfyUI answers for the first time. */
  async function takeOver(): Promise<void> {
    if (recovered || !watch.answers) return;
    let adopted: Claimed[];
    try {
      adopted = await recover({ ...attemptDeps, hosts, hostId });
    } catch (error) {
      if (!(error instanceof ComfyUIError)) throw error;
      // Nothing is claimed before it can be read.
      watch.queueRead(error);
      return;
    }
    watch.queueRead(undefined);
    for (const claimed of adopted) {
      const heldJob = slots.add(claimed.state.jobId);
      heldJob.claimed = claimed;
      void resume(heldJob, claimed);
    }
    recovered = true;
  }

  let stuckHead: string | undefined;
  /** It runs something, says something or was restarted. */
  function movesAgain(): void {
    stuckHead = undefined;
    watch.stuck(undefined);
  }

  /** Gives back what a ComfyUI holds that runs nothing any more, and has it restarted where that is allowed. */
  function judgeHead(first: QueueItem | undefined, runs: boolean): void {
    const heldJob = slots
      .all()
      .find(({ promptId }) => promptId !== undefined && promptId === first?.promptId);
    const still = stuck.poll(
      first && {
        promptId: first.promptId,
        runs,
        ours: heldJob && { classOf: heldJob.classOf, deadline: heldJob.claimed?.state.deadline },
        brokenOff: heldJob === undefined && readPromptTag(first.extraData)?.machine === machineId,
      },
    );
    // That nothing waits any more is no sign of life: what waited was taken back.
    if (runs && first?.promptId !== stuckHead) movesAgain();
    if (still === undefined) {
      if (stuckHead !== undefined) restart('ComfyUI is still stuck');
      return;
    }
    stuckHead = first?.promptId;
    const reason = `ComfyUI is stuck: the head of its queue has not moved for ${Math.round(still / 1000)} s`;
    watch.stuck(reason);
    heldJob?.stop({ stuck: reason });
    for (const other of slots.all()) if (other !== heldJob) other.drain(reason);
    restart(reason);
  }

  /** What it merely tries for, and then leaves alone, must not keep a machine from ending itself. */
  const holds = () => slots.all().some(({ claimed }) => claimed !== undefined);

  async function pollComfyUI(): Promise<void> {
    try {
      await poller.poll();
      watch.queueRead(undefined);
    } catch (error) {
      if (!(error instanceof ComfyUIError)) throw error;
      log.debug('comfyui.poll_failed', { error: error.message });
      if (watch.answers) watch.queueRead(error);
    }
  }

  /** Whoever stops a host does not wait for what nobody can bring to an end. */
  function isKeptTooLong({ phase }: HeldJob): boolean {
    if (drainingSince === undefined) return false;
    const { followed, stored } = { ...DRAIN_WAITS, ...deps.drainWaits };
    const drainsFor = awake() - drainingSince;
    return phase === 'uploading' ? drainsFor >= stored : drainsFor >= followed && !watch.canBeFollowed;
  }

  async function followUp(): Promise<void> {
    if (holds()) busyAt = awake();
    if (slots.size() > 0) await pollComfyUI();
    const at = performance.now();
    const silentFor = at - (watch.silentSince ?? at);
    const silent = silentFor >= timings.comfyuiSilentAfter;
    const left = silentFor >= (watch.isHeld ? timings.comfyuiHeldAfter : timings.comfyuiSilentAfter);
    for (const heldJob of slots.all()) {
      if (orphans.stuck()) heldJob.drain('its ComfyUI is stuck');
      if (left) heldJob.drain(NOT_ANSWERING);
      if (silent && draining) heldJob.stop('silent');
      if (isKeptTooLong(heldJob)) heldJob.stop('silent');
    }
  }

  const identity = {
    hostId,
    machineId,
    url: deps.url,
    slots: deps.slots,
    startedAt,
    release: deps.release,
  };
  const item = (): Host =>
    heartbeatOf(identity, watch, {
      now: now(),
      draining,
      retired: life.isRetired(),
      held: slots.size(),
      models,
      unrunnable: claimLoop.unrunnable(),
      jobSeconds: stats.jobSeconds(),
    });

  const life = createHeartbeat({ hosts, spread: deps.spread, log, timings, hostId, item, now });

  async function heartbeat(): Promise<void> {
    await life.beat().catch((error: unknown) => log.error('host.heartbeat_failed', error, { hostId }));
    // With nothing to follow, this is how strays are found.
    if (slots.size() === 0 && watch.answers) await pollComfyUI();
  }

  async function poll(): Promise<void> {
    // A silent ComfyUI is asked for more often than hearts beat, and its return is told at once.
    const wasHealthy = watch.isHealthy;
    if (!watch.answers) await watch.poll();
    else if (!wasHealthy && slots.size() === 0) await pollComfyUI();
    if (watch.isHealthy !== life.reportedHealthy()) await life.report();
    await takeOver();
    if (recovered) await readiness.poll(holds());
    await claimLoop.poll();
  }

  /** A table that stumbles is tried again for as long as the item would count as alive; then it is dead anyway. */
  async function signOff(): Promise<void> {
    const giveUp = performance.now() + timings.hostDeadAfter;
    for (let attempt = 0; ; attempt += 1)
      try {
        return await hosts.remove(hostId);
      } catch (error) {
        log.error('host.removal_failed', error, { hostId });
        if (performance.now() > giveUp) return;
        await attemptDeps.pause(attempt);
      }
  }

  // A ComfyUI that takes its time must not keep the host from being known.
  await Promise.race([watch.poll().then(() => watch.inventoryTaken()), sleep(FIRST_POLL)]);
  await hosts.putIntake(hostId, intakeSecret, now());
  await heartbeat();
  await takeOver();
  socket = connectEvents(
    comfyui,
    {
      event: (event) => {
        stuck.observe(event);
        movesAgain();
        poller.observe(event);
      },
      disconnected() {
        movesAgain();
        poller.disconnected();
      },
    },
    timings,
  );
  const tickers = [
    every('heartbeat', timings.heartbeatEvery, heartbeat, log),
    every('health', timings.heartbeatEvery, watch.poll, log),
    every('poll', timings.hostPollsEvery, poll, log),
    every('watchdog', timings.hostPollsEvery, () => keep(jobs, slots, awake, timings), log),
    every('cleanup', timings.hostPollsEvery, () => cleanup.remove(), log),
    every('follow_up', timings.hostPollsEvery, followUp, log),
  ];
  void claimLoop.poll();

  async function drain(): Promise<void> {
    draining = true;
    drainingSince = awake();
    await life.report().catch((error: unknown) => log.error('host.heartbeat_failed', error, { hostId }));
    for (const heldJob of slots.all()) heldJob.drain('the GPU host was stopped');
    await slots.empty();
    await Promise.all(tickers.map((ticker) => ticker.stop()));
    await cleanup.remove();
    socket?.close();
    await signOff();
  }

  let drained: Promise<void> | undefined;
  return {
    hostId,
    intakeSecret,
    offer: claimLoop.offer,
    idleFor: () =>
      holds() ? 0 : Math.max(0, awake() - (readiness.isReady ? busyAt : busyAt + HOST_START_LIMIT)),
    isRetired: life.isRetired,
    drain: () => (drained ??= drain()),
  };
}
