// The check of a whole graph by the nodes of one ComfyUI: its outputs one after the other, and below each the nodes that it
// depends on. Others are not looked at. Source: validate_prompt in execution.py of 0.33.0. ComfyUI goes through outputs and
// inputs in the order of a Python set, which differs from process to process; here it is the graph's and the declaration's.

import { MAX_GRAPH_CHAIN } from '../limits.ts';
import type { Graph, GraphNode, ObjectInfo } from '../object-info.ts';
import { type Answer, type NodeErrors, PythonError, type Reason, refusal, refused } from './answer.ts';
import type { HasFile } from './files.ts';
import { outputException } from './inputs.ts';
import { checkNode } from './node.ts';
import { isTruthy, str } from './python.ts';
import type { Verdict, Walk } from './walk.ts';

export interface ValidateOptions {
  /** The output nodes that the caller wants; without it all. */
  targets?: readonly string[] | undefined;
  hasFile: HasFile;
  mayHaveMore: boolean;
}

class ChainTooLong extends Error {}

export function validate(
  graph: Graph,
  info: ObjectInfo,
  { targets, hasFile, mayHaveMore }: ValidateOptions,
): Answer {
  const unknown = Object.entries(graph).flatMap(([id, node]) => unknownClass(id, node, info) ?? []);
  if (unknown[0]) return refused(unknown[0]);
  const outputs = Object.entries(graph).flatMap(([id, { class_type: classType }]) =>
    info[classType]!.output_node === true && targets?.includes(id) !== false ? [id] : [],
  );
  if (outputs.length === 0) return refused(plain('prompt_no_outputs', 'Prompt has no outputs', ''));
  const walk: Walk = {
    graph,
    info,
    hasFile,
    mayHaveMore,
    verdicts: new Map(),
    sources: new Map(),
    path: [],
    visit: (id) => visit(walk, id),
  };
  try {
    for (const id of outputs) visitOutput(walk, id);
  } catch (error) {
    if (!(error instanceof ChainTooLong)) throw error;
    return refused(
      refusal('prompt_too_large', `The graph has a chain of more than ${MAX_GRAPH_CHAIN} nodes`),
    );
  }
  const failed = outputs.filter((id) => !walk.verdicts.get(id)!.valid);
  const nodeErrors = errorsOf(walk, failed);
  if (failed.length < outputs.length)
    return { error: null, node_errors: nodeErrors, outputs: outputs.filter((id) => !failed.includes(id)) };
  const details = failed.flatMap((id) =>
    walk.verdicts.get(id)!.reasons.map((reason) => `${reason.message}: ${reason.details}`),
  );
  const error = plain(
    'prompt_outputs_failed_validation',
    'Prompt outputs failed validation',
    details.join('\n'),
  );
  return refused(error, nodeErrors);
}

function plain(type: string, message: string, details: string): Reason {
  return { type, message, details, extra_info: {} };
}

function unknownClass(id: string, node: GraphNode, info: ObjectInfo): Reason | undefined {
  const hasClass = Object.hasOwn(node, 'class_type');
  if (hasClass && Object.hasOwn(info, node.class_type)) return undefined;
  const meta: Record<string, unknown> = node._meta ?? {};
  const title = Object.hasOwn(meta, 'title') ? meta['title'] : hasClass ? node.class_type : null;
  const message = hasClass
    ? `Node '${str(title)}' not found. The custom node may not be installed.`
    : `Node '${isTruthy(title) ? str(title) : `ID #${id}`}' has no class_type. The workflow may be corrupted or a custom node is missing.`;
  return {
    type: 'missing_node_type',
    message,
    details: `Node ID '#${id}'`,
    extra_info: { node_id: id, class_type: hasClass ? node.class_type : null, node_title: title },
  };
}

function visitOutput(walk: Walk, id: string): void {
  try {
    walk.visit(id);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    walk.verdicts.set(id, { valid: false, reasons: [outputException(error)], height: 0 });
  }
}

/** @throws PythonError, as ComfyUI does: the caller's verdict on `id` is then that exception */
function visit(walk: Walk, id: string): Verdict {
  const known = walk.verdicts.get(id);
  if (known) return known;
  const { path, verdicts } = walk;
  if (path.includes(id)) {
    markCycle(walk, [...path.slice(path.indexOf(id)), id]);
    return verdicts.get(id)!;
  }
  if (path.length >= MAX_GRAPH_CHAIN) throw new ChainTooLong();
  const { reasons, hasBrokenSource } = checkNode(walk, id);
  // A cycle through this node has left its own reason.
  const before = verdicts.get(id);
  const heights = [...(walk.sources.get(id) ?? [])].map((source) => verdicts.get(source)?.height ?? 0);
  const verdict: Verdict = {
    valid: before === undefined && !hasBrokenSource && reasons.length === 0,
    reasons: [...(before?.reasons ?? []), ...reasons],
    height: 1 + Math.max(0, ...heights),
  };
  if (verdict.height > MAX_GRAPH_CHAIN) throw new ChainTooLong();
  verdicts.set(id, verdict);
  return verdict;
}

/** @param cycle from a node around to itself */
function markCycle({ graph, verdicts }: Walk, cycle: string[]): void {
  const nodes = [...new Set(cycle)];
  const details = cycle.map((id) => `${id} (${graph[id]!.class_type})`).join(' -> ');
  for (const id of nodes) {
    const reason: Reason = {
      type: 'dependency_cycle',
      message: 'Dependency cycle detected',
      details,
      extra_info: { node_id: id, cycle_nodes: nodes },
    };
    verdicts.set(id, { valid: false, reasons: [reason], height: 0 });
  }
}

/** Nodes that are wrong only because of others are left out. */
function errorsOf({ graph, verdicts, sources }: Walk, failed: readonly string[]): NodeErrors {
  // A node may be called toString.
  const errors = new Map<string, NodeErrors[string]>();
  for (const output of failed)
    for (const id of reachedFrom(output, sources)) {
      const { valid, reasons } = verdicts.get(id) ?? { valid: true, reasons: [] };
      if (valid || reasons.length === 0) continue;
      const known = errors.get(id) ?? {
        errors: reasons,
        dependent_outputs: [],
        class_type: graph[id]!.class_type,
      };
      known.dependent_outputs.push(output);
      errors.set(id, known);
    }
  return Object.fromEntries(errors);
}

function reachedFrom(output: string, sources: Walk['sources']): Set<string> {
  const reached = new Set([output]);
  // A set's iteration goes on over what is added to it.
  for (const id of reached) for (const source of sources.get(id) ?? []) reached.add(source);
  return reached;
}
