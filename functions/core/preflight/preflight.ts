// Checks a whole graph before it is accepted, with no ComfyUI awake: by the nodes that each host has reported. Answers as
// ComfyUI 0.33 does to `POST /prompt`: what it takes, this takes, and the other way round (test/core/preflight-corpus.json).

import type { Graph, ObjectInfo } from '../object-info.ts';
import { type Answer, type Reason, refused } from './answer.ts';
import type { HasFile } from './files.ts';
import { replace } from './replaced.ts';
import { misshapen } from './shape.ts';
import { validate, type ValidateOptions } from './validate.ts';

export type { Answer, NodeErrors, NodeProblems, Reason } from './answer.ts';
export type { Folder, HasFile } from './files.ts';

export interface HostNodes {
  hostId: string;
  /** Its `GET /object_info`. */
  nodes: ObjectInfo;
}

export interface PreflightOptions {
  /** ComfyUI's `partial_execution_targets`: only these outputs. */
  targets?: readonly string[] | undefined;
  /** Without it every file within ComfyUI's folders counts as there: input files are staged later. */
  hasFile?: HasFile | undefined;
  /** Node classes and model files may have come since the hosts reported: one that they lack is no error. */
  mayHaveMore?: boolean | undefined;
}

export interface Preflight extends Answer {
  /** The hosts that answer so: those that run the most of the graph. Empty: no host has reported its nodes. */
  hosts: string[];
}

/**
 * @param graph as a caller sent it: any JSON
 * @param hosts those whose nodes are known. Without any only shape and bounds are checked, and `outputs` is empty.
 * @returns `error: null` where the graph may be accepted; `node_errors` may then still name outputs that do not run
 */
export function preflight(
  graph: unknown,
  hosts: readonly HostNodes[],
  { targets, hasFile = () => true, mayHaveMore = false }: PreflightOptions = {},
): Preflight {
  const odd = misshapen(graph);
  if (odd) return { ...refused(odd), hosts: [] };
  const answers = new Map<ObjectInfo, Answer>();
  for (const { nodes } of hosts)
    if (!answers.has(nodes))
      answers.set(nodes, answerOf(graph as Graph, nodes, { targets, hasFile, mayHaveMore }));
  const [best] = [...answers.values()].sort((a, b) => rankOf(a) - rankOf(b) || sizeOf(a) - sizeOf(b));
  if (!best || (mayHaveMore && best.error?.type === 'missing_node_type'))
    return { error: null, node_errors: {}, outputs: [], hosts: [] };
  const alike = hosts.filter(({ nodes }) => {
    const answer = answers.get(nodes)!;
    return rankOf(answer) === rankOf(best) && sizeOf(answer) === sizeOf(best);
  });
  return { ...best, hosts: alike.map(({ hostId }) => hostId) };
}

function answerOf(graph: Graph, nodes: ObjectInfo, options: ValidateOptions): Answer {
  const replaced = replace(graph, nodes);
  return isReason(replaced) ? refused(replaced) : validate(replaced, nodes, options);
}

/** A graph's entries are objects, a reason's `type` is a text. */
function isReason(value: Graph | Reason): value is Reason {
  return typeof value['type'] === 'string';
}

/** The lower, the more of the graph runs; of those where none does, the one that says the most about it. */
function rankOf({ error, outputs }: Answer): number {
  if (error === null) return -outputs.length;
  return error.type === 'missing_node_type' ? 2 : 1;
}

const sizeOf = ({ node_errors: errors }: Answer) => Object.keys(errors).length;
