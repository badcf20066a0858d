// Renders a template and its values to the graph that ComfyUI runs: copies and sets fields, nothing else. Pure.

import { type FileType, isFileType } from './file-types.ts';
import {
  type InputKey,
  isStampAlone,
  outputFolder,
  publishedPrefix,
  stagedName,
  stampedPrefix,
  stampOf,
  withoutStamp,
} from './names.ts';
import { type Graph, linkOf, type ObjectInfo } from './object-info.ts';
import { type InputValues, parseTarget, targetsOf, type Template } from './template.ts';

/** @param values of every input, as `parseInputs` returns them. @returns a new graph */
export function render(template: Template, values: InputValues): Graph {
  const graph = structuredClone(template.graph);
  for (const [name, spec] of Object.entries(template.inputs))
    for (const { node, field } of targetsOf(spec)) graph[node]!.inputs[field] = values[name];
  return graph;
}

/** A job's input files: the caller's name of each, and the fields ("node.field") that it sets. */
export function namedFiles(
  template: Template,
  values: InputValues,
): { input: string; type: FileType; name: string; to: string[] }[] {
  return Object.entries(template.inputs).flatMap(([input, spec]) => {
    const name = values[input];
    if (!isFileType(spec.type) || typeof name !== 'string' || name === '') return [];
    return [{ input, type: spec.type, name, to: [spec.to ?? []].flat() }];
  });
}

/** One file that must lie in ComfyUI's input folder before the graph is posted. */
export interface Staging extends InputKey {
  /** The fields ("node.field") that must name it. */
  to: string[];
}

/**
 * The graph as one attempt posts it: its outputs have names of the attempt, its staged inputs the names that they have in
 * ComfyUI's input folder (`stagedName`). A save node gets a prefix of its own, also where another node makes its prefix.
 * One without a prefix gets an undeclared input, so that it runs again: it is part of ComfyUI's cache key, and neither the
 * validation nor the node sees it (execution.py and caching.py of 0.8.0 and 0.33.0).
 * @param nodes that ComfyUI's declarations, which say which nodes save; a node whose output no link uses counts as one
 */
export function stamp(
  graph: Graph,
  jobId: string,
  attempt: number,
  staging: readonly Staging[],
  nodes: ObjectInfo = {},
): Graph {
  const stamped = structuredClone(graph);
  const own = stampOf(jobId, attempt);
  const linked = new Set(
    Object.values(graph).flatMap(({ inputs }) =>
      Object.values(inputs).flatMap((value) => linkOf(value)?.node ?? []),
    ),
  );
  for (const [id, { class_type: classType, inputs }] of Object.entries(graph)) {
    const node = stamped[id]!.inputs;
    // An output node may pass its images on; a node whose outputs are unused may be one that is not declared here.
    const saves = nodes[classType]?.output_node === true || !linked.has(id);
    const prefix = constantOf(graph, inputs['filename_prefix']);
    const source = linkOf(inputs['filename_prefix']);
    if (prefix !== undefined) {
      node['filename_prefix'] = stampedPrefix(prefix, jobId, attempt);
    } else if (source !== undefined) {
      const joined = freshId(stamped, `${id}_prefix`);
      stamped[joined] = {
        class_type: 'StringConcatenate',
        inputs: {
          string_a: `${outputFolder(jobId)}/${own}_`,
          string_b: inputs['filename_prefix'],
          delimiter: '',
        },
      };
      node['filename_prefix'] = [joined, 0];
    } else if (saves) {
      node[RUNS_ANEW] = own;
    }
  }
  for (const input of staging)
    for (const { node, field } of input.to.map(parseTarget)) stamped[node]!.inputs[field] = stagedName(input);
  return stamped;
}

/** The graph as it was before `stamp`, of a prefix that part which is published: what a picture that a job made has in it. */
export function unstamp(graph: Graph): Graph {
  const plain = structuredClone(graph);
  for (const { inputs } of Object.values(plain)) {
    delete inputs[RUNS_ANEW];
    const prefix = inputs['filename_prefix'];
    if (typeof prefix === 'string') inputs['filename_prefix'] = withoutStamp(prefix);
    const joined = linkOf(prefix)?.node ?? '';
    if (isJoined(plain[joined])) {
      inputs['filename_prefix'] = plain[joined].inputs['string_b'];
      delete plain[joined];
    }
  }
  return plain;
}

const isJoined = (node: Graph[string] | undefined): node is Graph[string] =>
  node?.class_type === 'StringConcatenate' && isStampAlone(node.inputs['string_a']);

/** No node has an input of this name. */
const RUNS_ANEW = 'comfyui_rest_api_attempt';

/** A text, directly or from a primitive node, as exports have them for a prefix. */
function constantOf(graph: Graph, value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  let current = value;
  // Primitives may be chained; the bound ends a cycle, which ComfyUI refuses.
  for (let steps = 0; steps < 20; steps += 1) {
    const source = graph[linkOf(current)?.node ?? ''];
    if (!source || !/^(Primitive)?String|^Primitive/.test(source.class_type)) return undefined;
    const inputs = Object.values(source.inputs);
    if (inputs.length !== 1) return undefined;
    if (typeof inputs[0] === 'string') return inputs[0];
    current = inputs[0];
  }
  return undefined;
}

function freshId(graph: Graph, wanted: string): string {
  return Object.hasOwn(graph, wanted) ? freshId(graph, `${wanted}_`) : wanted;
}

/** The prefix under which a node's images are published. */
export function publishedPrefixOf(graph: Graph, node: string): string {
  return publishedPrefix(constantOf(graph, graph[node]?.inputs['filename_prefix']) ?? 'ComfyUI');
}
