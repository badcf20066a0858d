// When a host that starts may claim: once ComfyUI has the models of some job that waits, or all of them, and has run one
// small step. Until then it says that it starts. It refuses to wait without end for a warm-up; for models the controller
// judges, which ends a host that does not come up.

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
  health: Pick<ComfyUIHealth, 'answers' | 'inventory' | 'isInventoryAwaited' | 'starting'>;
  kind?: ComfyUIKind | undefined;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  /** A file that is there once all models are; they are there where it is not said. */
  modelsReady?: string | undefined;
  /** Runs it, and says why it failed; absent: nothing is run. */
  warmUp?: ((work: Work) => Promise<string | undefined>) | undefined;
  /** Graphs for where no job waits, the first one first: those that read no images. */
  graphs: readonly Graph[];
  onReady(): void;
}

export interface Readiness {
  readonly isReady: boolean;
  /** Are there models that have not come yet? As of the last look. */
  readonly modelsCome: boolean;
  /** Seconds of its parts. */
  readonly parts: Record<string, number>;
  /**
   * To be called once a second, as soon as former runs are taken over from.
   * @param isWarm jobs of a former run go on in this ComfyUI
   */
  poll(isWarm: boolean): Promise<void>;
}

/** Jobs at the head of the queue that are looked at. */
const EXAMINED = 10;
/** ms: whoever lacks models after the last one came has been asked since. */
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
  }

  /** The first that waits and that this ComfyUI could run now. */
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
    // A job that fails in the same way says so to its owner.
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
      // What does not tell what it has is not waited for.
      const isReported = health.inventory !== undefined;
      const work = isReported ? await firstJob() : undefined;
      const graph = isReported ? graphs.find(fits) : undefined;
      const next = work ?? (graph && { graph, staging: [] });
      // A graph of ours without a job that waits can wait for the others' models: it may not be the one that is wanted.
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
