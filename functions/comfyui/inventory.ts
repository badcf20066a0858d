// Reads the inventory of a ComfyUI: its nodes with their lists, and its model files by folder.

import type { Inventory } from '../core/object-info.ts';
import type { Log } from '../log.ts';
import { type ComfyUI, ComfyUIError } from './client.ts';

/** With many custom nodes on a slow disk ComfyUI takes half a minute to list them. ms */
const NODES_WITHIN = 120_000;

/**
 * About thirty small requests and a large one: for the start, and now and then. A folder that cannot be read is omitted.
 * @throws ComfyUIError where nodes or folders cannot be listed
 */
export async function takeInventory(comfyui: ComfyUI, log: Log): Promise<Inventory> {
  const [nodes, folders] = await Promise.all([comfyui.objectInfo(NODES_WITHIN), comfyui.models()]);
  const models: Inventory['models'] = {};
  for (const folder of folders)
    try {
      models[folder] = await comfyui.modelsIn(folder);
    } catch (error) {
      if (!(error instanceof ComfyUIError)) throw error;
      log.debug('inventory.folder_failed', { folder, error: error.message });
    }
  return { nodes, models };
}
