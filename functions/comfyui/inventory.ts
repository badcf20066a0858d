// Everything that a ComfyUI has: its nodes with their lists, and its model files by folder.

import type { Inventory } from '../core/object-info.ts';
import type { ComfyUI } from './client.ts';

/** Some thirty small questions and one large: for the start, and now and then. @throws ComfyUIError */
export async function takeInventory(comfyui: ComfyUI): Promise<Inventory> {
  const [nodes, folders] = await Promise.all([comfyui.objectInfo(), comfyui.models()]);
  const models: Inventory['models'] = {};
  for (const folder of folders) models[folder] = await comfyui.modelsIn(folder);
  return { nodes, models };
}
