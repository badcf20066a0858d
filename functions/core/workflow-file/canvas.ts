// The shape of a canvas file, as ComfyUI's page saves it: LiteGraph's format 0.4 (links are lists) and 1 (links are objects),
// with the definitions of its subgraphs. Reads what a graph needs, and refuses what has no such shape. Source: the files that
// ComfyUI's page 1.49.6 writes.

import { MAX_GRAPH_NODES } from '../limits.ts';
import { isRecord, recordOf } from '../json-value.ts';
import { type FileFault, unreadable } from './fault.ts';

export interface Slot {
  name: string;
  /** Of the values that it takes or gives; several with commas between them, or `*`. */
  type: string;
  label?: string;
  link?: string;
  /** The name of the widget that the slot stands for. */
  widget?: string;
}

export interface CanvasNode {
  id: string;
  type: string;
  title?: string;
  mode: number;
  inputs: Slot[];
  outputs: Slot[];
  /** In the order of the node's widgets. */
  values?: unknown[];
  /** By widget, beside or instead of `values`. */
  named?: Record<string, unknown>;
  properties: Record<string, unknown>;
}

export interface CanvasLink {
  origin: string;
  /** The output's index. */
  slot: number;
}

export interface Nodes {
  nodes: Map<string, CanvasNode>;
  links: Map<string, CanvasLink>;
}

export interface Port {
  name: string;
  type: string;
  label?: string;
  /** Inside; of an output the first counts. */
  links: string[];
}

export interface Definition extends Nodes {
  id: string;
  name: string;
  inputs: Port[];
  outputs: Port[];
}

export interface Canvas extends Nodes {
  definitions: Map<string, Definition>;
  extra: Record<string, unknown>;
  faults: FileFault[];
}

/** Node modes; any other runs. */
export const MUTED = 2;
export const BYPASSED = 4;

/** A subgraph's own ports, as nodes of its links. */
export const INSIDE_INPUTS = '-10';

export function isCanvas(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && Array.isArray(value['nodes']);
}

/** @throws UnreadableFile where there are too many nodes */
export function readCanvas(file: Record<string, unknown>): Canvas {
  const faults: FileFault[] = [];
  const definitions = new Map<string, Definition>();
  const listed = recordOf(file['definitions'])['subgraphs'];
  let count = listOf(file['nodes']).length;
  for (const one of listOf(listed).filter(isRecord)) {
    count += listOf(one['nodes']).length;
    const id = String(one['id']);
    definitions.set(id, {
      id,
      name: textOf(one['name']) ?? id,
      inputs: listOf(one['inputs']).map(portOf),
      outputs: listOf(one['outputs']).map(portOf),
      ...nodesOf(one, faults),
    });
  }
  if (count > MAX_GRAPH_NODES)
    throw unreadable('too_large', `The file has ${count} nodes; ${MAX_GRAPH_NODES} are allowed`);
  return { ...nodesOf(file, faults), definitions, extra: recordOf(file['extra']), faults };
}

function nodesOf(graph: Record<string, unknown>, faults: FileFault[]): Nodes {
  const nodes = new Map<string, CanvasNode>();
  for (const [index, node] of listOf(graph['nodes']).entries()) {
    const id = isRecord(node) ? idOf(node['id']) : undefined;
    const type = isRecord(node) ? textOf(node['type']) : undefined;
    if (id === undefined || type === undefined || nodes.has(id)) {
      faults.push({
        code: 'bad_node',
        ...(id !== undefined && { node: id }),
        message: `Node number ${index + 1} of the file ${nodes.has(id ?? '') ? `has the id ${id} of another one` : 'has no id or no type'}; open the file in ComfyUI and save it again`,
      });
      continue;
    }
    nodes.set(id, nodeOf(node as Record<string, unknown>, id, type));
  }
  const links = new Map<string, CanvasLink>();
  for (const link of listOf(graph['links'])) {
    const [id, origin, slot]: unknown[] = Array.isArray(link)
      ? link
      : isRecord(link)
        ? [link['id'], link['origin_id'], link['origin_slot']]
        : [];
    const [key, from, output] = [idOf(id), idOf(origin), Number(slot)];
    if (key !== undefined && from !== undefined && Number.isInteger(output) && output >= 0)
      links.set(key, { origin: from, slot: output });
  }
  return { nodes, links };
}

function nodeOf(node: Record<string, unknown>, id: string, type: string): CanvasNode {
  const { widgets_values: values, widgets_values_named: named, title } = node;
  const byName = isRecord(named) ? named : isRecord(values) ? values : undefined;
  return {
    id,
    type,
    ...(typeof title === 'string' && title !== '' && { title }),
    mode: Number(node['mode'] ?? 0),
    inputs: listOf(node['inputs']).map(slotOf),
    outputs: listOf(node['outputs']).map(slotOf),
    ...(Array.isArray(values) && { values: values as unknown[] }),
    ...(byName && { named: byName }),
    properties: recordOf(node['properties']),
  };
}

function slotOf(slot: unknown): Slot {
  const { name, type, link, widget, label } = recordOf(slot);
  const linked = idOf(link);
  const named = textOf(recordOf(widget)['name']);
  return {
    name: String(name),
    type: typeOf(type),
    ...(typeof label === 'string' && { label }),
    ...(linked !== undefined && { link: linked }),
    ...(named !== undefined && { widget: named }),
  };
}

function portOf(port: unknown): Port {
  const { name, type, label, linkIds } = recordOf(port);
  return {
    name: String(name),
    type: typeOf(type),
    ...(typeof label === 'string' && label !== '' && { label }),
    links: listOf(linkIds).flatMap((id) => idOf(id) ?? []),
  };
}

/** LiteGraph takes `0` and an empty text for any type, and a list of values for a choice. */
function typeOf(type: unknown): string {
  if (Array.isArray(type)) return 'COMBO';
  return typeof type === 'string' && type !== '' ? type : '*';
}

/** Ids are numbers, or texts in newer files. */
function idOf(id: unknown): string | undefined {
  if (typeof id === 'number' && Number.isFinite(id)) return String(id);
  return typeof id === 'string' && id !== '' && id.length <= 200 ? id : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
