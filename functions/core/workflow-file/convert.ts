// A canvas file's graph, as ComfyUI's page would send it: nodes that run, with their widgets' values and where their links
// lead. Source: the results of the page 1.49.6 itself.

import type { Graph, GraphNode, ObjectInfo } from '../object-info.ts';
import { isRecord } from '../json-value.ts';
import { type Canvas, type CanvasNode, BYPASSED, MUTED } from './canvas.ts';
import type { FileFault } from './fault.ts';
import { isOfPage, sourceOf } from './resolve.ts';
import { type Scope, unfold } from './scopes.ts';

export interface Converted {
  graph: Graph;
  faults: FileFault[];
  /** What comes out as in the page, but a person may not expect. */
  notes: string[];
  fields: Field[];
}

/** What a person sets on the canvas, and the inputs of the graph that get it. */
export interface Field {
  /** Where it is set: a node of the graph, one that stands for a subgraph, or a primitive. */
  node: string;
  name: string;
  title: string;
  to: { node: string; field: string }[];
}

export function convert(canvas: Canvas, info: ObjectInfo): Converted {
  const faults = [...canvas.faults];
  const notes: string[] = [];
  const root = unfold(canvas, info, faults);
  const nodes = new Map<string, GraphNode>();
  const fields = new Map<string, Field>();
  const visit = (scope: Scope): void => {
    for (const node of scope.nodes.values()) {
      const inner = scope.inner.get(node.id);
      if (inner) visit(inner);
      else if (node.mode !== MUTED && node.mode !== BYPASSED && !isOfPage(node.type))
        nodes.set(scope.prefix + node.id, graphNode(scope, node, info, { faults, notes, fields }));
    }
  };
  visit(root);
  return { graph: Object.fromEntries(nodes), faults, notes, fields: [...fields.values()] };
}

interface Found {
  faults: FileFault[];
  notes: string[];
  fields: Map<string, Field>;
}

function graphNode(scope: Scope, node: CanvasNode, info: ObjectInfo, found: Found): GraphNode {
  const { faults, notes, fields } = found;
  const id = scope.prefix + node.id;
  const isSet = (by: Omit<Field, 'to'>, field: string) => {
    const key = `${by.node}.${by.name}`;
    const { to } = fields.get(key) ?? { to: [] };
    fields.set(key, { node: by.node, name: by.name, title: by.title, to: [...to, { node: id, field }] });
  };
  const fault = (code: FileFault['code'], message: string, input?: string) =>
    faults.push({
      code,
      node: id,
      title: node.title ?? node.type,
      type: node.type,
      ...(input !== undefined && { input }),
      message: `Node ${id} (${node.title ?? node.type})${input === undefined ? '' : `, "${input}"`}: ${message}`,
    });
  const declared = Object.hasOwn(info, node.type) ? info[node.type] : undefined;
  if (!declared) fault(...explainUnknown(node.type));

  const inputs = new Map<string, unknown>();
  const own = new Set<string>();
  for (const [name, { value, type, extra }] of scope.widgets.get(node.id) ?? []) {
    if (value === undefined) continue;
    const what = typeof value === 'string' ? doneByPage(name, value, extra) : undefined;
    if (what !== undefined)
      notes.push(`Node ${id} (${node.title ?? node.type}), "${name}": ${what}; here it is sent as it is`);
    inputs.set(name, sent(value, type));
    own.add(name);
  }
  for (const slot of node.inputs) {
    const source = sourceOf({ scope, node }, slot);
    if (source.kind === 'output') inputs.set(slot.name, [source.node, source.slot]);
    if (source.kind === 'value') {
      inputs.set(slot.name, sent(source.value, slot.type));
      isSet(source.field, slot.name);
    }
    if (source.kind === 'output' || source.kind === 'value') own.delete(slot.name);
    if (source.kind === 'broken') fault('bad_link', `${source.why}; link it again in ComfyUI`, slot.name);
    if (
      source.kind === 'nothing' &&
      source.why !== undefined &&
      isNeeded(declared, slot.name) &&
      !inputs.has(slot.name)
    )
      fault(
        'not_sent',
        `nothing comes to it, since ${source.why}; mute this node too, or link it elsewhere`,
        slot.name,
      );
  }
  const title = node.title ?? declared?.display_name ?? node.type;
  for (const name of own) isSet({ node: id, name, title }, name);
  return {
    class_type: node.type,
    inputs: Object.fromEntries(inputs),
    _meta: { title },
  };
}

/** What the page alone would do to a text before it sends it. */
function doneByPage(name: string, value: string, extra: Record<string, unknown>): string | undefined {
  if (extra['dynamicPrompts'] === true && /\{[^{}]*\|[^{}]*\}/.test(value))
    return "ComfyUI's page draws one of {…|…} anew for each run";
  if (name === 'filename_prefix' && /%(date:[^%]*|[^%\s]+\.[^%\s]+)%/.test(value))
    return "ComfyUI's page replaces what is between two %";
  return undefined;
}

/** Of a node that no host declares. */
function explainUnknown(type: string): [code: FileFault['code'], message: string] {
  if (/^workflow[>/]/.test(type))
    return ['group_node', 'it is a group node; turn it into a subgraph in ComfyUI, and save again'];
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(type))
    return ['missing_subgraph', 'its subgraph is not in the file; open it in ComfyUI and save it again'];
  return [
    'unknown_node',
    'no host has this node class, so its fields were read by the file alone; install its custom node, or check them',
  ];
}

/** A list stands for a link in a graph, so it is wrapped. */
function sent(value: unknown, type: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return type === 'CURVE' ? { __type__: 'CURVE', __value__: value } : { __value__: value };
}

function isNeeded(declared: ObjectInfo[string] | undefined, name: string): boolean {
  const required = declared?.input?.required;
  return isRecord(required) && Object.hasOwn(required, name);
}
