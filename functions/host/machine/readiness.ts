// When a starting host may claim: once ComfyUI has the models of a waiting job, or all models, and has run one
// small step. Until then its heartbeat says that it starts. A warm-up has a limit; the controller ends a host whose models
// never come.

import { access } from 'node:fs/promises';
import type { ComfyUIKind } from '../../core/job.ts';
import { type Graph, missingRequirements } from '../../core/object-info.ts';
import { readGraph } from '../../images/documents.ts';
import type { Images } from '../../images/images.ts';
import type { Log } from '../../log.ts';
import type { Jobs } from '../../store/jobs.ts';
import { isFor } from '../claims/claim.ts';
import type { ComfyUIHealth } from '../prompts/health.ts';
import type { Work } from './warm-up.ts';

export interface ReadinessDeps {
  jobs: Jobs;
  images: Images;
  log: Log;
  health: Pick<ComfyUIHealth, 'answers' | 'inventory' | 'isInventoryAwaited' | 'poll' | 'starting'>;
  kind?: ComfyUIKind | undefined;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  /** A file that exists once all models are there; absent: they are. */
  modelsReady?: string | undefined;
  /** Runs one small step, returns why it failed; absent: nothing is run. */
  warmUp?: ((work: Work) => Promise<string | undefined>) | undefined;
  /** Graphs to warm up with if no job waits, in this order; they read no images. */
  graphs: readonly Graph[];
  onReady(): void;
}

export interface Readiness {
  readonly isReady: boolean;
  /** Whether models are still to come, as of the last poll. */
  readonly modelsCome: boolean;
  /** Seconds of each part of the start. */
  readonly parts: Record<string, number>;
  /**
   * Called once a second after the take-over.
   * @param isWarm adopted jobs run in this ComfyUI
   */
  poll(isWarm: boolean): Promise<void>;
}

/** Jobs at the head of the queue that are examined. */
const EXAMINED = 10;
/** Ms after the last model came, within which ComfyUI has been asked again. */
const ASKED_AGAIN_WITHIN = 15_000;

export function createReadiness(deps: ReadinessDeps): Readiness {
  const { jobs, images, log, health, awake, graphs } = deps;
  const parts: Record<string, number> = {};
  const startedAt = awake();
  let modelsCome = deps.modelsReady !== undefined;
  let allThereAt = modelsCome ? Infinity : startedAt;
  let isReady = !modelsCome && deps.warmUp === undefined;
  let warming: Promise<void> | undefined;
  if (!isReady) health.starting('ComfyUI and its models are not there yet');

  const seconds = (since: number) => Math.round((awake() - since) / 100) / 10;
  const fits = (graph: Graph) => missingRequirements(graph, health.inventory?.nodes ?? {}).length === 0;

  async function pollModels(): Promise<void> {
    if (!modelsCome || !(await isThere(deps.modelsReady!))) return;
    modelsCome = false;
    allThereAt = awake();
    // It takes the inventory once more, now rather than with the next heartbeat.
    await health.poll();
  }

  /** The first waiting job that this ComfyUI can run now. */
  async function firstJob(): Promise<Work | undefined> {
    for (const { jobId } of await jobs.listWork('waiting', EXAMINED)) {
      const job = await jobs.read(jobId);
      if (!job || !isFor(job.state, deps.kind)) continue;
      const graph = await readGraph(images, job.request);
      if (graph && fits(graph)) return { graph, staging: job.request.staging };
    }
    return undefined;
  }

  function ready(): void {
    isReady = true;
    health.starting(undefined);
    log.info('host.became_ready', { parts });
    deps.onReady();
  }

  async function warm(work: Work): Promise<void> {
    health.starting('it runs one small step before its first job');
    const since = awake();
    const failure = await deps.warmUp!(work);
    parts['warm_up'] = seconds(since);
    // A job that fails in the same way reports it to its owner.
    if (failure !== undefined) log.warn('warm_up.failed', { error: failure });
    ready();
  }

  return {
    get isReady() {
      return isReady;
    },
    get modelsCome() {
      return modelsCome;
    },
    parts,
    async poll(isWarm) {
      await pollModels();
      if (isReady || warming || !health.answers) return;
      parts['comfyui_up'] ??= seconds(startedAt);
      if (health.isInventoryAwaited) return;
      // A ComfyUI without an inventory is not waited for.
      const isReported = health.inventory !== undefined;
      const work = isReported ? await firstJob() : undefined;
      const graph = isReported ? graphs.find(fits) : undefined;
      const next = work ?? (graph && { graph, staging: [] });
      // Without a waiting job the warm-up waits for all models: another graph may be wanted first.
      if (modelsCome && !work) return health.starting('its models are still coming');
      const toWarm = deps.warmUp !== undefined && !isWarm;
      if (next && toWarm) {
        warming = warm(next);
        return;
      }
      if (work || !isReported || awake() - allThereAt >= ASKED_AGAIN_WITHIN || !toWarm) ready();
    },
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
