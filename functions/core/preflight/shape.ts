// What is refused before any ComfyUI's nodes are looked at: values that are no graph (ComfyUI answers 500), canvas files, and
// graphs beyond the bounds.

import { stringifyJson } from '../json.ts';
import { MAX_GRAPH_BYTES, MAX_GRAPH_NESTING, MAX_GRAPH_NODES } from '../limits.ts';
import { isRecord } from '../json-value.ts';
import { type Reason, refusal } from './answer.ts';

/** Keys with a meaning of their own in JavaScript. */
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

/** Undefined: `value` is a graph. */
export function misshapen(value: unknown): Reason | undefined {
  if (!isRecord(value)) return refusal('invalid_prompt', 'The graph must be an object: node id → node');
  if (Array.isArray(value['nodes']))
    return refusal(
      'workflow_format_ui',
      "This is a workflow in the page's format; ComfyUI runs the API format",
      'export it in ComfyUI with File > Export (API), and send that file',
    );
  const odd = unreadableIn(value);
  if (odd) return odd;
  const nodes = Object.entries(value);
  if (nodes.length > MAX_GRAPH_NODES)
    return refusal('prompt_too_large', `The graph has ${nodes.length} nodes; ${MAX_GRAPH_NODES} are allowed`);
  const bytes = new TextEncoder().encode(stringifyJson(value)).length;
  if (bytes > MAX_GRAPH_BYTES)
    return refusal('prompt_too_large', `The graph has ${bytes} bytes; ${MAX_GRAPH_BYTES} are allowed`);
  for (const [id, node] of nodes) {
    const what = misshapenNode(node);
    if (what !== undefined) return refusal('invalid_prompt', `Node '${id}' ${what}`, '', id);
  }
  return undefined;
}

/** What no graph may have, nor a file that one is made of: names with a meaning of their own, and what JSON cannot hold. */
export function unreadableIn(value: unknown): Reason | undefined {
  const odd = oddityOf(value, MAX_GRAPH_NESTING);
  if (odd === TOO_DEEP)
    return refusal('prompt_too_large', `The graph is nested deeper than ${MAX_GRAPH_NESTING} levels`);
  if (odd === NO_NUMBER)
    return refusal('invalid_prompt', 'The graph has a number that is too large for JSON');
  if (odd !== undefined)
    return refusal('invalid_prompt', `The name "${odd}" is not allowed in a graph`, `rename or remove it`);
  return undefined;
}

function misshapenNode(node: unknown): string | undefined {
  if (!isRecord(node)) return 'must be an object with "class_type" and "inputs"';
  if (typeof node['class_type'] === 'object' && node['class_type'] !== null)
    return 'has a "class_type" that is no text';
  if (Object.hasOwn(node, 'inputs') && !isRecord(node['inputs'])) return 'has "inputs" that are no object';
  if (Object.hasOwn(node, '_meta') && !isRecord(node['_meta'])) return 'has a "_meta" that is no object';
  return undefined;
}

const TOO_DEEP = Symbol('too deep');
/** JSON holds 1e400, which is written again as null. */
const NO_NUMBER = Symbol('no number');

/** The first forbidden key. */
function oddityOf(value: unknown, levels: number): string | typeof TOO_DEEP | typeof NO_NUMBER | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return NO_NUMBER;
  if (typeof value !== 'object' || value === null) return undefined;
  if (levels === 0) return TOO_DEEP;
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && FORBIDDEN.includes(key)) return key;
    const odd = oddityOf(inner, levels - 1);
    if (odd !== undefined) return odd;
  }
  return undefined;
}
