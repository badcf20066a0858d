// The health of ComfyUI and its inventory, polled with every heartbeat. Whatever keeps it from taking jobs has a name.
// The inventory is optional: it is taken when ComfyUI comes (back) and once a minute, and is awaited only briefly.

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

/** How often while models still come, ms. */
const INVENTORY_AS_MODELS_COME = 4000;
/** After a POST /prompt without an answer the next is tried after so long, doubled each time, ms. */
const RISKED_AFTER = 1000;
const LONGEST_RISKED_AFTER = 30_000;

/**
 * Why ComfyUI takes no jobs. With `comfyui_inputs` jobs without input images are still taken.
 */
export type Trouble =
  | 'comfyui_silent'
  /** Its answers are not ComfyUI's. */
  | 'comfyui_unreadable'
  | 'comfyui_queue'
  /** Everything but POST /prompt is answered. */
  | 'comfyui_takes_no_prompts'
  | 'comfyui_too_old'
  | 'comfyui_stuck'
  /** It starts: its models come, or it is warmed up. */
  | 'comfyui_starting'
  | 'comfyui_inputs';

export interface ComfyUIHealth {
  /** Whether jobs may be claimed for it. */
  readonly takesJobs: boolean;
  /** It answers, and no trouble affects all jobs: what the heartbeat reports. */
  readonly isHealthy: boolean;
  /** Whether running prompts can be followed to their end. */
  readonly canBeFollowed: boolean;
  /** Whether it answered the last poll. */
  readonly answers: boolean;
  /** `<Trouble>: <a sentence>`. */
  readonly trouble: string | undefined;
  /** Since when it does not answer, ms of the same clock; undefined while it does. */
  readonly silentSince: number | undefined;
  /** Connections are accepted and not answered: a node may block its interpreter. */
  readonly isHeld: boolean;
  /** Whether it says that it is a simulated ComfyUI. */
  readonly simulated: boolean;
  readonly stats: SystemStats | undefined;
  readonly inventory: Inventory | undefined;
  /** It is being taken for the first time. */
  readonly isInventoryAwaited: boolean;
  readonly inventoryHash: string | undefined;
  /** One poll at a time; never throws. */
  poll(): Promise<void>;
  /** Resolves when the inventory is taken or has failed. */
  inventoryTaken(): Promise<void>;
  /** Reports a read of its queue; undefined: it succeeded. */
  queueRead(error: ComfyUIError | undefined): void;
  /** Reports a POST /prompt; undefined: it was answered. */
  prompted(error: ComfyUIError | undefined): void;
  /** Reports an upload of an input; undefined: it was stored. */
  inputsStored(error: string | undefined): void;
  /** Reports that it ignores prompt_id: true until it goes away, since it may come back as another version. */
  ignoredPromptId(): void;
  /** Reports what the start still waits for; undefined: nothing. */
  starting(what: string | undefined): void;
  /** Reports that the head of its queue is stuck; undefined: it moves. */
  stuck(reason: string | undefined): void;
}

/**
 * @param now a monotonic clock, ms
 * @param modelsCome whether models still come: the inventory is taken often
 */
export function watchHealth(
  comfyui: ComfyUI,
  images: Images,
  log: Log,
  now: () => number,
  modelsCome: () => boolean,
  { inventoryEvery, inventoryAwaitedFor }: Timings,
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
    // A ComfyUI that has not come up yet is expected.
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
    // It may come back as another version.
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
    // No prompt was posted since: the trouble is out of date.
    if (unanswered > 0 && now() - riskedFrom > LONGEST_RISKED_AFTER) prompted(undefined);
    // One that is being taken may lack the last model.
    if (taking) return;
    const cameLast = cameThen && !modelsCome();
    const interval = modelsCome() ? INVENTORY_AS_MODELS_COME : inventoryEvery;
    if (!cameLast && now() - takenAt < interval) return;
    cameThen = modelsCome();
    takenAt = now();
    taking = take().finally(() => {
      taking = undefined;
    });
  }

  /** A failure is logged once; the last inventory stays. */
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

  /** The first trouble that affects all jobs. */
  const isFree = (but?: Trouble) =>
    ![...troubles.keys()].some((what) => what !== 'comfyui_inputs' && what !== but);

  const hasInventory = () =>
    inventory !== undefined || inventoryError !== undefined || now() - answersSince >= inventoryAwaitedFor;

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
      // A silent ComfyUI is reported as silent, not as starting.
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
