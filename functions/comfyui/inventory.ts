// Reads the inventory of a ComfyUI: its nodes with their lists, and its model files by folder.

import { isStagedName } from '../core/names.ts';
import type { Inventory, ObjectInfo } from '../core/object-info.ts';
import { withLists } from '../core/option-lists.ts';
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
  return { nodes: withoutStaged(nodes), models };
}

/** Inputs of jobs come and go, and are no other caller's to read. */
function withoutStaged(nodes: ObjectInfo): ObjectInfo {
  const isStaged = (one: unknown) => typeof one === 'string' && isStagedName(one);
  return Object.fromEntries(
    Object.entries(nodes).map(([classType, node]) => [
      classType,
      withLists(node, (list) => (list.some(isStaged) ? list.filter((one) => !isStaged(one)) : list)),
    ]),
  );
}
