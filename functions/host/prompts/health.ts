// How is ComfyUI, and what does it have? Asked with every heartbeat. What keeps it from taking jobs has a name, and is told.
// The inventory is a help: taken beside, when ComfyUI came (back) or a minute has passed, and waited for only briefly.

import {
  type ComfyUI,
  ComfyUIError,
  ComfyUISilent,
  isSimulated,
  type SystemStats,
} from '../../comfyui/client.ts';
import { takeInventory } from '../../comfyui/inventory.ts';
import type { Inventory } from '../../core/object-info.ts';
import type { Timings } from '../../core/timings.ts';
import { storeInventory } from '../../images/documents.ts';
import type { Images } from '../../images/images.ts';
import type { Log } from '../../log.ts';

/** While models come, ms: with every look. */
const INVENTORY_AS_MODELS_COME = 4000;
/** Without one, jobs are taken that would better wait for another host: so long it is waited for, ms. */
const INVENTORY_AWAITED = 10_000;
/** After a POST /prompt without an answer the next is risked after so long, twice as long each time, ms. */
const RISKED_AFTER = 1000;
const LONGEST_RISKED_AFTER = 30_000;

/**
 * Why it takes no jobs, first word for machines. `comfyui_inputs` is said, and jobs without input images are taken.
 */
export type Trouble =
  | 'comfyui_silent'
  /** It answers, and not as ComfyUI does. */
  | 'comfyui_unreadable'
  | 'comfyui_queue'
  /** Everything but POST /prompt is answered. */
  | 'comfyui_takes_no_prompts'
  | 'comfyui_too_old'
  | 'comfyui_stuck'
  /** It is not that far: its models come, or it is warmed up. */
  | 'comfyui_starting'
  | 'comfyui_inputs';

export interface ComfyUIHealth {
  /** It is there, can be read and runs what it is given: jobs may be claimed for it. */
  readonly takesJobs: boolean;
  /** It answers and nothing is wrong that concerns all jobs: what the table is told. */
  readonly isHealthy: boolean;
  /** What it does can be followed to its end. */
  readonly canBeFollowed: boolean;
  /** As of the last look, whatever else is wrong. */
  readonly answers: boolean;
  /** `<Trouble>: <a sentence>`. */
  readonly trouble: string | undefined;
  /** Since when it does not answer, ms of the same clock; undefined while it does. */
  readonly silentSince: number | undefined;
  /** Somebody takes its connections and says nothing. */
  readonly isHeld: boolean;
  /** It says so itself. */
  readonly simulated: boolean;
  readonly stats: SystemStats | undefined;
  readonly inventory: Inventory | undefined;
  /** It is being taken for the first time. */
  readonly isInventoryAwaited: boolean;
  readonly inventoryHash: string | undefined;
  /** One look, one at a time; never throws. */
  poll(): Promise<void>;
  /** Resolves when the inventory that is being taken is taken, or cannot be had. */
  inventoryTaken(): Promise<void>;
  /** What became of reading its queue; undefined: it was read. */
  queueRead(error: ComfyUIError | undefined): void;
  /** What became of a POST /prompt; undefined: it was answered. */
  prompted(error: ComfyUIError | undefined): void;
  /** It cannot store what jobs read; undefined: it could. */
  inputsStored(error: string | undefined): void;
  /** It gave a prompt another id than it was asked to: known until it was gone, and perhaps replaced. */
  ignoredPromptId(): void;
  /** What its first job still has to wait for; undefined: nothing. */
  starting(what: string | undefined): void;
  /** The head of its queue makes no progress; undefined: it does. */
  stuck(reason: string | undefined): void;
}

/**
 * @param now of a clock that nobody sets, ms
 * @param modelsCome more and more of what it has is there: it is asked often
 */
export function watchHealth(
  comfyui: ComfyUI,
  images: Images,
  log: Log,
  now: () => number,
  modelsCome: () => boolean,
  { inventoryEvery }: Timings,
): ComfyUIHealth {
  const troubles = new Map<Trouble, string>();
  let answers = false;
  let silentSince: number | undefined;
  let isHeld = false;
  let answersSince = Infinity;
  let stats: SystemStats | undefined;
  let polling: Promise<void> | undefined;

  let taking: Promise<void> | undefined;
  let takenAt = -Infinity;
  let cameThen = false;
  let inventory: Inventory | undefined;
  let inventoryHash: string | undefined;
  let inventoryError: string | undefined;

  let unanswered = 0;
  let riskedFrom = -Infinity;

  function trouble(what: Trouble, sentence: string | undefined): void {
    if (sentence === undefined) {
      if (troubles.delete(what)) log.info('comfyui.recovered', { url: comfyui.url, trouble: what });
      return;
    }
    // One that has not come up yet is no news.
    const isNoNews = what === 'comfyui_starting' || (what === 'comfyui_silent' && stats === undefined);
    const about = { url: comfyui.url, trouble: what, reason: sentence };
    if (!troubles.has(what))
      if (isNoNews) log.info('comfyui.awaited', about);
      else log.warn('comfyui.troubled', about);
    troubles.set(what, sentence);
  }

  function missed(error: ComfyUIError): void {
    if (answers) log.warn('comfyui.went_silent', { url: comfyui.url, error: error.message });
    answers = false;
    answersSince = Infinity;
    silentSince ??= now();
    const isSilent = error instanceof ComfyUISilent;
    isHeld = isSilent && !error.answered && !error.nobodyThere;
    trouble('comfyui_silent', isSilent ? error.message : undefined);
    trouble('comfyui_unreadable', isSilent ? undefined : error.message);
    // It may come back as another.
    trouble('comfyui_too_old', undefined);
    trouble('comfyui_stuck', undefined);
  }

  function prompted(error: ComfyUIError | undefined): void {
    if (error === undefined) {
      unanswered = 0;
      riskedFrom = -Infinity;
    } else if (now() >= riskedFrom) {
      riskedFrom = now() + Math.min(RISKED_AFTER * 2 ** unanswered, LONGEST_RISKED_AFTER);
      unanswered += 1;
    }
    trouble('comfyui_takes_no_prompts', error?.message);
  }

  async function ask(): Promise<void> {
    stats = await comfyui.systemStats();
    if (!answers) {
      log.info('comfyui.answered', { url: comfyui.url });
      answersSince = now();
      takenAt = -Infinity;
      trouble('comfyui_silent', undefined);
      trouble('comfyui_unreadable', undefined);
    }
    answers = true;
    silentSince = undefined;
    // Nobody has tried since: that is no trouble any more.
    if (unanswered > 0 && now() - riskedFrom > LONGEST_RISKED_AFTER) prompted(undefined);
    // Once more after the last one has come.
    const often = cameThen || modelsCome();
    if (now() - takenAt < (often ? INVENTORY_AS_MODELS_COME : inventoryEvery)) return;
    cameThen = modelsCome();
    takenAt = now();
    taking ??= take().finally(() => {
      taking = undefined;
    });
  }

  /** One that cannot be had is said once; the last one stands. */
  async function take(): Promise<void> {
    try {
      const taken = await takeInventory(comfyui, log);
      inventoryHash = await storeInventory(images, taken);
      inventory = taken;
      inventoryError = undefined;
    } catch (error) {
      if (!(error instanceof ComfyUIError)) return log.error('inventory.store_failed', error);
      if (inventoryError !== error.message) log.warn('inventory.read_failed', { error: error.message });
      inventoryError = error.message;
    }
  }

  /** Of everything that concerns all jobs, and may not be risked. */
  const isFree = (but?: Trouble) =>
    ![...troubles.keys()].some((what) => what !== 'comfyui_inputs' && what !== but);

  const hasInventory = () =>
    inventory !== undefined || inventoryError !== undefined || now() - answersSince >= INVENTORY_AWAITED;

  return {
    get takesJobs() {
      return answers && isFree('comfyui_takes_no_prompts') && now() >= riskedFrom && hasInventory();
    },
    get isHealthy() {
      return answers && isFree();
    },
    get canBeFollowed() {
      return answers && !troubles.has('comfyui_queue') && !troubles.has('comfyui_stuck');
    },
    get answers() {
      return answers;
    },
    get trouble() {
      // What it is starting with says little while it is silent.
      const [first] = [...troubles].sort(
        ([a], [b]) => Number(a === 'comfyui_starting') - Number(b === 'comfyui_starting'),
      );
      return first && `${first[0]}: ${first[1]}`;
    },
    get silentSince() {
      return silentSince;
    },
    get isHeld() {
      return isHeld;
    },
    get simulated() {
      return stats !== undefined && isSimulated(stats);
    },
    get stats() {
      return stats;
    },
    get inventory() {
      return inventory;
    },
    get isInventoryAwaited() {
      return !hasInventory();
    },
    get inventoryHash() {
      return inventoryHash;
    },
    poll() {
      polling ??= ask()
        .catch((error: unknown) => {
          if (!(error instanceof ComfyUIError)) throw error;
          missed(error);
        })
        .finally(() => {
          polling = undefined;
        });
      return polling;
    },
    inventoryTaken: () => taking ?? Promise.resolve(),
    queueRead(error) {
      trouble('comfyui_queue', error && `its queue cannot be read: ${error.message}`);
    },
    prompted,
    inputsStored(error) {
      trouble('comfyui_inputs', error && `it cannot store input images: ${error}`);
    },
    ignoredPromptId() {
      trouble('comfyui_too_old', 'it ignores the prompt_id that it is given; needs 0.8 or later');
    },
    starting(what) {
      trouble('comfyui_starting', what);
    },
    stuck(reason) {
      trouble('comfyui_stuck', reason);
    },
  };
}
