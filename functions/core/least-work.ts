// The smallest run of a graph: one step of one small image. It loads every model of the graph, which is how a host warms
// up. Pure; knows inputs by the names that ComfyUI's nodes give them.

import { isFileType } from './file-types.ts';
import type { Graph } from './object-info.ts';
import type { Template } from './template.ts';

/** Pixels: the smallest that templates allow and models are made for. */
const SIDE = 256;

/** Inputs by name, and the values to which they are capped. */
const MOST: Record<string, number> = {
  steps: 1,
  batch_size: 1,
  width: SIDE,
  height: SIDE,
  scale_by: 1,
  upscale_by: 1,
  megapixels: 0.1,
};

/** A copy of the graph with its numbers capped. */
export function leastOf(graph: Graph): Graph {
  const least = structuredClone(graph);
  for (const { inputs } of Object.values(least))
    for (const [name, most] of Object.entries(MOST)) {
      const value = inputs[name];
      if (typeof value === 'number' && value > most) inputs[name] = most;
    }
  return least;
}

/** Graphs of templates without files of callers, which run unchanged, in the templates' order. */
export function graphsWithoutFiles(templates: ReadonlyMap<string, Template>): Graph[] {
  return [...templates.values()]
    .filter(({ inputs }) => Object.values(inputs).every(({ type }) => !isFileType(type)))
    .map(({ graph }) => graph);
}
