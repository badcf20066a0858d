// A posted graph in which ComfyUI replaces old node classes before it validates. Source: app/node_replace_manager.py of 0.33.0.

import type { Graph, GraphNode, ObjectInfo } from '../object-info.ts';
import { type Replacement, replacementOf } from '../replaced-nodes.ts';
import { type Reason, refusal } from './answer.ts';

/** The graph as ComfyUI validates it, or why it answers with 500. Without inputs of their own the new nodes have none. */
export function replace(graph: Graph, info: ObjectInfo): Graph | Reason {
  const replaced = Object.entries(graph).map(([id, node]): [string, GraphNode] | Reason => {
    const replacement =
      typeof node.class_type === 'string' && Object.hasOwn(node, 'inputs')
        ? replacementOf(node.class_type, info)
        : undefined;
    if (!replacement) return [id, node];
    const lacks = lackOf(node, replacement);
    if (lacks !== undefined)
      return refusal(
        'invalid_prompt',
        `Node '${id}' is of the class ${node.class_type}, which ComfyUI replaces by ${replacement.by}, and has no ${lacks}`,
        `add ${lacks}, or use ${replacement.by}`,
        id,
      );
    const inputs = Object.entries(replacement.inputs ?? {}).map(([name, source]): [string, unknown] => [
      name,
      'from' in source ? node.inputs[source.from] : source.value,
    ]);
    return [id, { ...node, class_type: replacement.by, inputs: Object.fromEntries(inputs) }];
  });
  const broken = replaced.find((one): one is Reason => !Array.isArray(one));
  return broken ?? Object.fromEntries(replaced as [string, GraphNode][]);
}

function lackOf(node: GraphNode, { inputs = {} }: Replacement): string | undefined {
  if (!node._meta) return '"_meta"';
  const absent = Object.values(inputs).find((one) => 'from' in one && !Object.hasOwn(node.inputs, one.from));
  return absent && 'from' in absent ? `input "${absent.from}"` : undefined;
}
