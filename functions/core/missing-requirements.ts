// Missing requirements of a graph over several hosts, and which hosts have each. Pure.

import { type Graph, missingRequirements, type ObjectInfo } from './object-info.ts';

/** One entry of the API's answer. `field` and `value` are null where the class itself is unknown. */
export interface Missing {
  node: string;
  class_type: string;
  field: string | null;
  value: string | null;
  /** Ids of the hosts that have it. */
  hosts: string[];
}

/** In the graph's order. @param hosts those whose inventory is known */
export function missingOf(graph: Graph, hosts: readonly { hostId: string; nodes: ObjectInfo }[]): Missing[] {
  const missing = new Map<string, Missing>();
  const missingFrom = new Map<string, Set<string>>();
  for (const { hostId, nodes } of hosts)
    for (const { node, classType, field = null, value = null } of missingRequirements(graph, nodes)) {
      const key = keyOf(node, field);
      missing.set(key, { node, class_type: classType, field, value, hosts: [] });
      missingFrom.set(key, (missingFrom.get(key) ?? new Set()).add(hostId));
    }
  for (const [key, one] of missing) {
    // A host without the class has none of its files.
    const requirement = [missingFrom.get(key), missingFrom.get(keyOf(one.node, null))];
    one.hosts = hosts
      .map(({ hostId }) => hostId)
      .filter((hostId) => !requirement.some((those) => those?.has(hostId)));
  }
  const place = Object.keys(graph);
  return [...missing.values()].sort((a, b) => place.indexOf(a.node) - place.indexOf(b.node));
}

/** Whether none of these, at least one, has all that the graph needs. */
export function isUnrunnable(graph: Graph, hosts: readonly { nodes: ObjectInfo }[]): boolean {
  const different = new Set(hosts.map(({ nodes }) => nodes));
  return different.size > 0 && [...different].every((nodes) => missingRequirements(graph, nodes).length > 0);
}

const keyOf = (node: string, field: string | null) => JSON.stringify([node, field]);

const NAMED = 3;

/** A phrase that says which host the job waits for; undefined: nothing is missing. */
export function neededOf(missing: readonly Missing[]): string | undefined {
  if (missing.length === 0) return undefined;
  const named = missing.slice(0, NAMED).map(({ node, class_type: classType, value, hosts }) => {
    const where = hosts.length === 0 ? 'no host has it' : `host ${hosts[0]!} has it`;
    return `${value ?? `the node class ${classType}`} for node ${node} (${where})`;
  });
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  const isSomewhere = missing.every(({ hosts }) => hosts.length > 0);
  return `${isSomewhere ? 'one' : 'a'} gpu host with ${named.join(', ')}${more}`;
}
