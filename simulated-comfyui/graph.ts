// Owns the words for a prompt graph as it arrives on the wire: nodes, links, queue items.
// Refuses nothing: what is allowed in a graph is decided in validation.ts.

export interface GraphNode {
  class_type: string;
  inputs: Record<string, unknown>;
  [more: string]: unknown;
}
export type Graph = Record<string, GraphNode>;
/** [node id, output slot] */
export type Link = [string, number];
export type ExtraData = Record<string, unknown>;
/** As `GET /queue` and the history show it. */
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
