// Where the values of a graph lead: from a node to the inputs that its outputs come to.

import { type Graph, linkOf } from '../object-info.ts';

/** Node → the inputs that its outputs come to. */
export type Uses = Map<string, { node: string; field: string }[]>;

export function usesOf(graph: Graph): Uses {
  const uses: Uses = new Map();
  for (const [node, { inputs }] of Object.entries(graph))
    for (const [field, value] of Object.entries(inputs)) {
      const source = linkOf(value)?.node;
      if (source === undefined) continue;
      const known = uses.get(source);
      if (known) known.push({ node, field });
      else uses.set(source, [{ node, field }]);
    }
  return uses;
}

/** Inputs of nodes that pass a value on, or reckon with it: what it is for stands further on. */
const PASSING = /^(value|values?\..+|input|source|on_true|on_false|anything|[ab]|data)$/;

/** What all inputs to which a node's value comes are called; undefined: nothing, or they differ. */
export function fedName(uses: Uses, from: string): string | undefined {
  const names = new Set<string>();
  const seen = new Set([from]);
  // A set's iteration goes on over what is added to it.
  for (const id of seen)
    for (const { node, field } of uses.get(id) ?? [])
      if (PASSING.test(field)) seen.add(node);
      else names.add(field.slice(field.lastIndexOf('.') + 1));
  return names.size === 1 ? [...names][0] : undefined;
}
