// The part of a graph that some of its outputs need: ComfyUI runs no more of one of which an output is refused or not asked for.

import type { Graph } from '../../core/object-info.ts';

/** In the graph's own order. Outputs that it does not have are left out. */
export function partOf(graph: Graph, outputs: readonly string[]): Graph {
  const needed = new Set<string>();
  const toVisit = outputs.filter((id) => Object.hasOwn(graph, id));
  for (let id = toVisit.pop(); id !== undefined; id = toVisit.pop()) {
    if (needed.has(id)) continue;
    needed.add(id);
    for (const value of Object.values(graph[id]!.inputs ?? {})) {
      // A link: [node, index of its output].
      if (!Array.isArray(value) || value.length !== 2) continue;
      const source = String(value[0]);
      if (Object.hasOwn(graph, source)) toVisit.push(source);
    }
  }
  return Object.fromEntries(Object.entries(graph).filter(([id]) => needed.has(id)));
}
