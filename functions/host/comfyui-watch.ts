// Is ComfyUI there, and what does it have? Asked with every heartbeat; the inventory only when it came (back) or was
// not taken for a minute.

import { type ComfyUI, ComfyUIError, isSimulated, type SystemStats } from '../comfyui/client.ts';
import { takeInventory } from '../comfyui/inventory.ts';
import type { Inventory } from '../core/object-info.ts';
import { storeInventory } from '../images/documents.ts';
import type { Images } from '../images/images.ts';
import type { Log } from '../log.ts';

const INVENTORY_EVERY = 60_000;

export interface ComfyUIWatch {
  answers: boolean;
  /** Since when it does not, ms; undefined while it does. */
  silentSince?: number | undefined;
  /** It says so itself. */
  simulated: boolean;
  stats?: SystemStats;
  inventory?: Inventory;
  inventoryHash?: string;
  /** One look, one at a time; never throws. */
  look(): Promise<void>;
}

export function watchComfyUI(comfyui: ComfyUI, images: Images, log: Log, now: () => number): ComfyUIWatch {
  let takenAt = -Infinity;
  let looking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    watch.stats = await comfyui.systemStats();
    watch.simulated = isSimulated(watch.stats);
    if (!watch.answers || now() - takenAt >= INVENTORY_EVERY) {
      watch.inventory = await takeInventory(comfyui);
      watch.inventoryHash = await storeInventory(images, watch.inventory);
      takenAt = now();
    }
    if (!watch.answers) log.info('comfyui answers', { url: comfyui.url });
    watch.answers = true;
    watch.silentSince = undefined;
  }

  const watch: ComfyUIWatch = {
    answers: false,
    simulated: false,
    look() {
      looking ??= ask()
        .catch((error: unknown) => {
          // The bucket did not take the inventory: the old one stands until the next look.
          if (!(error instanceof ComfyUIError)) return log.error('inventory not stored', error);
          if (watch.answers) log.warn('comfyui is silent', { url: comfyui.url, error: error.message });
          watch.answers = false;
          watch.silentSince ??= now();
        })
        .finally(() => {
          looking = undefined;
        });
      return looking;
    },
  };
  return watch;
}
