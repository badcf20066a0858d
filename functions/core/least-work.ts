// The least that a graph can be asked for: one step of one small image. It loads and prepares what the whole graph needs, which
// is what a host is warmed up by. Pure; knows inputs by the names that ComfyUI's nodes give them.

import type { Graph } from './object-info.ts';
import type { Template } from './template.ts';

/** Of an image, in pixels: the templates allow no smaller one, and models are made for none. */
const SIDE = 256;

/** Numbers above these become these. */
const MOST: Record<string, number> = {
  steps: 1,
  batch_size: 1,
  width: SIDE,
  height: SIDE,
  scale_by: 1,
  upscale_by: 1,
  megapixels: 0.1,
};

export function leastOf(graph: Graph): Graph {
  const least = structuredClone(graph);
  for (const { inputs } of Object.values(least))
    for (const [name, most] of Object.entries(MOST)) {
      const value = inputs[name];
      if (typeof value === 'number' && value > most) inputs[name] = most;
    }
  return least;
}

/** Graphs that run as their files are, the first template's first. */
export function graphsWithoutImages(templates: ReadonlyMap<string, Template>): Graph[] {
  return [...templates.values()]
    .filter(({ inputs }) => Object.values(inputs).every(({ type }) => type !== 'image'))
    .map(({ graph }) => graph);
}
