// The subgraphs of a canvas, unfolded: each use of a subgraph is a scope of its own, with the values that its node sets on
// what lies inside. Bounded, since a small file may unfold without end.

import { MAX_GRAPH_NODES } from '../limits.ts';
import type { ObjectInfo } from '../object-info.ts';
import { recordOf } from '../json-value.ts';
import {
  BYPASSED,
  type Canvas,
  type CanvasNode,
  type Definition,
  listOf,
  MUTED,
  type Nodes,
  type Slot,
} from './canvas.ts';
import { type FileFault, unreadable } from './fault.ts';
import { type Widget, type Widgets, widgetsOf } from './widgets.ts';

export interface Scope extends Nodes {
  /** Ids of the nodes around, with a colon after each: `57:`. */
  prefix: string;
  /** Absent: the file itself. */
  around?: { scope: Scope; host: CanvasNode; definition: Definition };
  /** By the id of the node that stands for a subgraph. */
  inner: Map<string, Scope>;
  widgets: Map<string, Widgets>;
  /** What the node of this scope sets, by its input. */
  promoted: Widgets;
}

const DEEPEST = 20;

export function unfold(canvas: Canvas, info: ObjectInfo, faults: FileFault[]): Scope {
  let count = 0;
  const open = (nodes: Nodes, prefix: string, above: readonly string[], around?: Scope['around']): Scope => {
    count += nodes.nodes.size;
    if (count > MAX_GRAPH_NODES)
      throw unreadable(
        'too_large',
        `The file has more than ${MAX_GRAPH_NODES} nodes once its subgraphs are unfolded`,
      );
    const scope: Scope = {
      nodes: nodes.nodes,
      links: nodes.links,
      prefix,
      ...(around && { around }),
      inner: new Map(),
      widgets: new Map(),
      promoted: new Map(),
    };
    for (const node of nodes.nodes.values()) {
      const definition = canvas.definitions.get(node.type);
      if (!definition) {
        const declared = Object.hasOwn(info, node.type) ? info[node.type] : undefined;
        scope.widgets.set(node.id, widgetsOf(node, declared));
        continue;
      }
      if (node.mode === MUTED || node.mode === BYPASSED) continue;
      if (above.includes(definition.id) || above.length >= DEEPEST)
        throw unreadable(
          'circular',
          `Node ${prefix}${node.id}: the subgraph "${definition.name}" ${above.includes(definition.id) ? 'has itself inside' : `lies deeper than ${DEEPEST} others`}; take it out in ComfyUI`,
        );
      scope.inner.set(
        node.id,
        open(definition, `${prefix}${node.id}:`, [...above, definition.id], {
          scope,
          host: node,
          definition,
        }),
      );
    }
    if (around) promote(scope, around.host, around.definition, faults);
    return scope;
  };
  return open(canvas, '', []);
}

/** The node's own values go to what its inputs stand for: first by their order, then as older files list them. */
function promote(scope: Scope, host: CanvasNode, definition: Definition, faults: FileFault[]): void {
  const kept = new Map(
    listOf(host.properties['proxyWidgetErrorQuarantine']).flatMap((one) => {
      const { originalEntry, hostValue } = recordOf(one);
      const [node, name] = listOf(originalEntry);
      return node === '-1' && hostValue !== undefined ? [[String(name), hostValue] as const] : [];
    }),
  );
  let next = 0;
  for (const port of definition.inputs) {
    const inside = port.links.map((link) => widgetAt(scope, link)).find((one) => one !== undefined);
    if (!inside) continue;
    const own = kept.get(port.name) ?? host.named?.[port.name] ?? host.values?.[next];
    scope.promoted.set(port.name, own === undefined ? inside : { ...inside, value: own });
    next += 1;
  }
  for (const [index, entry] of listOf(host.properties['proxyWidgets']).entries()) {
    const [node, name, within] = listOf(entry).map(String);
    const value = host.values?.[index];
    if (node === undefined || name === undefined || value === undefined || value === null) continue;
    setWithin(scope, definition, { node, name, within }, value, faults);
  }
}

/** What the slot at the inner end of a link lets a person set. */
function widgetAt(scope: Scope, link: string): Widget | undefined {
  for (const node of scope.nodes.values()) {
    const slot = node.inputs.find((one) => one.link === link);
    if (!slot) continue;
    const inner = scope.inner.get(node.id);
    return inner ? inner.promoted.get(slot.name) : ownWidget(scope, node, slot);
  }
  return undefined;
}

export function ownWidget(scope: Scope, node: CanvasNode, slot: Slot): Widget | undefined {
  return slot.widget === undefined ? undefined : scope.widgets.get(node.id)?.get(slot.widget);
}

const PREFIXED = /^\s*(\d+)\s*:\s*(.+)$/;

interface Promotion {
  node: string;
  name: string;
  /** The node inside that node. */
  within?: string | undefined;
}

function setWithin(
  scope: Scope,
  definition: Definition,
  { node: id, name: written, within: said }: Promotion,
  value: unknown,
  faults: FileFault[],
): void {
  const set = (widgets: Widgets | undefined, name: string) => {
    const widget = widgets?.get(name);
    if (widget) widgets!.set(name, { ...widget, value });
    return widget !== undefined;
  };
  if (id === '-1') return void set(scope.promoted, written);
  const port = definition.inputs.find(({ links }) => stands(scope, links, id, written));
  if (port && set(scope.promoted, port.name)) return;
  const node = scope.nodes.get(id);
  if (!node || written.startsWith('$$')) return;
  let [name, within] = [written, said];
  for (let match = PREFIXED.exec(name); match; match = PREFIXED.exec(name))
    [, within, name] = match as unknown as string[] & [string, string, string];
  const inner = scope.inner.get(id);
  if (inner) {
    const ports = inner.around!.definition.inputs;
    const found =
      ports.find((one) => within !== undefined && stands(inner, one.links, within, name)) ??
      ports.find((one) => one.name === name) ??
      ports.find((one) => [...inner.nodes.keys()].some((deep) => stands(inner, one.links, deep, name)));
    if (found && set(inner.promoted, found.name)) return;
  } else if (node.type === 'PrimitiveNode') {
    // Its value goes along its links.
    scope.widgets.set(id, new Map([['value', { value, type: '*', extra: {} }]]));
    return;
  } else if (set(scope.widgets.get(id), name)) return;
  if (/control_after_generate|control_filter_list|upload/.test(name)) return;
  faults.push({
    code: 'bad_node',
    node: `${scope.prefix}${id}`,
    ...(node.title !== undefined && { title: node.title }),
    type: node.type,
    input: name,
    message: `Node ${scope.prefix}${id} has no "${name}", which its subgraph sets to ${JSON.stringify(value)?.slice(0, 60)}; open the file in a current ComfyUI and save it again`,
  });
}

/** Does the first of these links that ends at something to set end at this? */
function stands(scope: Scope, links: readonly string[], id: string, name: string): boolean {
  for (const link of links)
    for (const node of scope.nodes.values()) {
      const slot = node.inputs.find((one) => one.link === link);
      if (slot) return node.id === id && (scope.inner.has(id) ? slot.name : slot.widget) === name;
    }
  return false;
}
