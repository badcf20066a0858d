// What of two answers to one graph must agree: whether it is accepted, the error, and each node's errors by type, input and
// words. Python's texts of numbers and ComfyUI's order (of a set) are levelled out; tracebacks and hints are left out.

import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';
import { preflight, type Reason } from '../../functions/core/preflight/preflight.ts';
import { INPUT_FILE } from './draw.ts';

/** Status and body of `POST /prompt`; a body that is no JSON is null. */
export interface Posted {
  status: number;
  body: AnyAnswer | null;
}

/** Of ComfyUI's body, or of ours. */
export interface AnyAnswer {
  error?: Reason | null;
  node_errors?: Record<string, { errors: Reason[]; dependent_outputs: string[]; class_type: string }>;
}

export interface Comparable {
  /** A bug of ComfyUI's, where the preflight has a reason of its own. */
  is500?: true;
  error: [type: string, message: string, details: string] | null;
  nodes: Record<string, [type: string, input: string, message: string, details: string][]>;
}

/** One entry of the corpus. */
export interface Case {
  /** What was broken; empty: nothing. */
  how: string;
  graph: Graph;
  answer: Comparable;
}

const IS_500: Comparable = { is500: true, error: null, nodes: {} };

export function answerOf({ status, body }: Posted): Comparable {
  return status === 500 || body === null ? IS_500 : comparable(body);
}

export function ourAnswer(graph: Graph, nodes: ObjectInfo): Comparable {
  const hasFile = (folder: string, path: string) => folder === 'input' && path === INPUT_FILE;
  const answer = preflight(graph, [{ hostId: 'live', nodes }], { hasFile });
  return answer.error?.type === 'invalid_prompt' ? IS_500 : comparable(answer);
}

export function kindOf({ is500, error, nodes }: Comparable) {
  if (is500) return 'answered 500';
  if (error) return 'refused';
  return Object.keys(nodes).length > 0 ? 'partly' : 'accepted';
}

/** Was it refused for a file that ComfyUI would look at in its run only? */
export function isStricter({ nodes }: Comparable): boolean {
  return Object.values(nodes).some((reasons) =>
    reasons.some(([, , , details]) => details.includes(' - Invalid file path: ')),
  );
}

/** Its details hold every reason of an output, in the order of a set. */
const UNORDERED = 'prompt_outputs_failed_validation';

function comparable({ error, node_errors: errors = {} }: AnyAnswer): Comparable {
  return {
    error: error
      ? [error.type, levelled(error.message), error.type === UNORDERED ? '' : levelled(error.details)]
      : null,
    nodes: Object.fromEntries(
      Object.entries(errors)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, { errors: reasons }]) => [id, sorted(reasons.map(wordsOf))]),
    ),
  };
}

function sorted<T>(list: T[]): T[] {
  return list.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

function wordsOf({ type, message, details, extra_info: extra }: Reason): Comparable['nodes'][string][number] {
  // Of a node that is an output and another's source: whichever ComfyUI looks at first.
  if (type.startsWith('exception_during_')) return ['exception', '', '', levelled(details)];
  return [
    type,
    typeof extra['input_name'] === 'string' ? extra['input_name'] : '',
    levelled(message),
    levelled(details),
  ];
}

/** 1.0 is 1, 1e-05 is 0.00001; a tuple is a list. */
function levelled(text: string): string {
  return text.replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi, (number) => String(Number(number)));
}
