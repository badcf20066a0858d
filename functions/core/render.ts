// From a template and its values to the graph that ComfyUI gets. Copies and sets fields, nothing else.

import { publishedPrefix, stagedName, stampedPrefix } from './names.ts';
import type { Graph } from './object-info.ts';
import { type InputValues, parseTarget, targetsOf, type Template } from './template.ts';

export function render(template: Template, values: InputValues): Graph {
  const graph = structuredClone(template.graph);
  for (const [name, spec] of Object.entries(template.inputs))
    for (const { node, field } of targetsOf(spec)) graph[node]!.inputs[field] = values[name];
  return graph;
}

/** The images that a job reads: as the caller named them, and the fields ("node.field") that name them. */
export function imageInputs(
  template: Template,
  values: InputValues,
): { input: string; name: string; to: string[] }[] {
  return Object.entries(template.inputs).flatMap(([input, spec]) => {
    const name = values[input];
    if (spec.type !== 'image' || typeof name !== 'string' || name === '') return [];
    return [{ input, name, to: [spec.to ?? []].flat() }];
  });
}

/** One image to put into ComfyUI's input folder before the graph is posted. */
export interface Staging {
  /** Where it lies in the bucket. */
  key: string;
  /** The fields ("node.field") that must name it. */
  to: string[];
}

/**
 * The graph as one attempt posts it: every output under a prefix of its own, every staged input under the name
 * that it has in ComfyUI's input folder (`stagedName`).
 */
export function stamp(graph: Graph, jobId: string, attempt: number, staging: readonly Staging[]): Graph {
  const stamped = structuredClone(graph);
  for (const { inputs } of Object.values(stamped)) {
    const prefix = inputs['filename_prefix'];
    if (typeof prefix === 'string') inputs['filename_prefix'] = stampedPrefix(prefix, jobId, attempt);
  }
  for (const { key, to } of staging)
    for (const { node, field } of to.map(parseTarget))
      stamped[node]!.inputs[field] = stagedName(jobId, attempt, key);
  return stamped;
}

/** The prefix under which a node's images are published. */
export function publishedPrefixOf(graph: Graph, node: string): string {
  const prefix = graph[node]?.inputs['filename_prefix'];
  return publishedPrefix(typeof prefix === 'string' ? prefix : 'ComfyUI');
}
