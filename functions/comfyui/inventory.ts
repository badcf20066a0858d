// Everything that a ComfyUI has: its nodes with their lists, and its model files by folder.

import type { Inventory } from '../core/object-info.ts';
import type { Log } from '../log.ts';
import { type ComfyUI, ComfyUIError } from './client.ts';

/** A ComfyUI with many custom nodes on a slow disk takes half a minute to tell them, ms. */
const NODES_WITHIN = 120_000;

/**
 * Some thirty small questions and one large: for the start, and now and then. A folder that it cannot tell is left out.
 * @throws ComfyUIError where it does not tell its nodes or its folders
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
