// Types of a prompt graph as received: nodes, links, queue items.
// Checks nothing: validation.ts decides what a graph may contain.

export interface GraphNode {
  class_type: string;
  inputs: Record<string, unknown>;
  [more: string]: unknown;
}
export type Graph = Record<string, GraphNode>;
/** [node id, output slot] */
export type Link = [string, number];
export type ExtraData = Record<string, unknown>;
/** As in `GET /queue` and the history. */
export type QueueItem = [
  number: number,
  promptId: string,
  graph: Graph,
  extraData: ExtraData,
  outputs: string[],
];

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isLink(value: unknown): value is Link {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}
