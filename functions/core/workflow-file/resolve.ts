// Where the value of a node's input comes from: along links, through reroutes, bypassed nodes and the borders of subgraphs,
// to the output of a node that runs, or to a value.

import { BYPASSED, type CanvasNode, INSIDE_INPUTS, MUTED, type Slot } from './canvas.ts';
import type { Scope } from './scopes.ts';
import type { Widget } from './widgets.ts';

export type Source =
  | { kind: 'output'; node: string; slot: number }
  | { kind: 'value'; value: unknown; field: Setter }
  /** Nothing comes: `why` names what is in the way. */
  | { kind: 'nothing'; why?: string }
  | { kind: 'broken'; why: string };

/** The field of a node that sets the value: a node that is no part of the graph. */
export interface Setter {
  node: string;
  name: string;
  title: string;
  /** Absent: a node of the page, which takes what its links lead to. */
  widget?: Widget;
}

const NOTHING: Source = { kind: 'nothing' };

/** Nodes of the page that pass on what comes; by rgthree too. */
const REROUTES = ['Reroute', 'Reroute (rgthree)'];
/** Nodes of the page that stand at both ends of a link without a line (KJNodes). */
const SET = 'SetNode';
const GET = 'GetNode';
/** What the page alone knows, and what nothing depends on. */
const NOTES = ['Note', 'MarkdownNote', 'Label (rgthree)', 'Bookmark (rgthree)'];
const SWITCHES =
  /^(Fast (Groups )?(Muter|Bypasser|Actions Button)|Mute \/ Bypass (Relay|Repeater)|Node Collector) \(rgthree\)$/;

/** Does the page keep this node to itself? */
export function isOfPage(type: string): boolean {
  return [...REROUTES, ...NOTES, SET, GET, 'PrimitiveNode'].includes(type) || SWITCHES.test(type);
}

interface Place {
  scope: Scope;
  node: CanvasNode;
}

/** @param from a node that runs; @param slot one of its inputs */
export function sourceOf(from: Place, slot: Slot): Source {
  let place = from;
  let input: Slot | undefined = slot;
  const seen = new Set<string>();
  for (;;) {
    const { scope, node } = place;
    if (!input) return NOTHING;
    if (input.link === undefined) return NOTHING;
    const here = `${scope.prefix}${node.id} ${node.inputs.indexOf(input)}`;
    if (seen.has(here)) return { kind: 'broken', why: 'its links lead in a circle' };
    seen.add(here);
    const link = scope.links.get(input.link);
    if (!link) return { kind: 'broken', why: `its link ${input.link} is not in the file` };

    const next =
      link.origin === INSIDE_INPUTS
        ? outward(scope, link.slot)
        : along(scope, link.origin, link.slot, slot, seen);
    if ('kind' in next) return next;
    [place, input] = [next.place, next.input];
  }
}

interface Step {
  place: Place;
  input: Slot | undefined;
}

/** From an input inside a subgraph to that of its node. */
function outward(scope: Scope, index: number): Step | Source {
  const { around } = scope;
  const port = around?.definition.inputs[index];
  if (!around || !port) return { kind: 'broken', why: `its subgraph has no input number ${index}` };
  const { host } = around;
  const input = host.inputs.find((one) => one.name === port.name);
  if (input?.link !== undefined) return { place: { scope: around.scope, node: host }, input };
  const widget = scope.promoted.get(port.name);
  if (!widget) return NOTHING;
  const title = input?.label ?? port.label ?? port.name;
  const field = { node: around.scope.prefix + host.id, name: port.name, title, widget };
  return { kind: 'value', value: widget.value, field };
}

function along(scope: Scope, id: string, output: number, wanted: Slot, seen: Set<string>): Step | Source {
  const node = scope.nodes.get(id);
  if (!node)
    return { kind: 'broken', why: `it is linked to node ${scope.prefix}${id}, which is not in the file` };
  const place = { scope, node };
  if (node.mode === MUTED) return { kind: 'nothing', why: `node ${scope.prefix}${id} is muted` };
  if (node.mode === BYPASSED) {
    const input = bypass(node, output, wanted.type);
    return input
      ? { place, input }
      : {
          kind: 'nothing',
          why: `node ${scope.prefix}${id} is bypassed and has no input of the type ${wanted.type}`,
        };
  }
  const inner = scope.inner.get(id);
  if (inner) return inward(inner, output, wanted, seen);
  if (REROUTES.includes(node.type)) return { place, input: node.inputs[0] };
  if (node.type === SET) return { place, input: node.inputs[0] };
  if (node.type === GET) return setterOf(place);
  if (node.type === 'PrimitiveNode') {
    const own = scope.widgets.get(id)?.get('value')?.value ?? node.named?.['value'] ?? node.values?.[0];
    const field = { node: scope.prefix + id, name: 'value', title: node.title ?? node.type };
    return own === undefined ? NOTHING : { kind: 'value', value: own, field };
  }
  return { kind: 'output', node: `${scope.prefix}${id}`, slot: output };
}

function inward(inner: Scope, output: number, wanted: Slot, seen: Set<string>): Step | Source {
  const ends = inner.around!.definition.outputs[output]?.links ?? [];
  const link = ends.map((id) => inner.links.get(id)).find((one) => one !== undefined);
  if (!link)
    return {
      kind: 'nothing',
      why: `the subgraph ${inner.prefix.slice(0, -1)} has nothing at its output number ${output}`,
    };
  const here = `${inner.prefix}out ${output}`;
  if (seen.has(here)) return { kind: 'broken', why: 'its links lead in a circle' };
  seen.add(here);
  return link.origin === INSIDE_INPUTS
    ? outward(inner, link.slot)
    : along(inner, link.origin, link.slot, wanted, seen);
}

/** A node that gets what another sets under the same name, in its own graph or in one around it. */
function setterOf({ scope, node }: Place): Step | Source {
  const nameOf = (one: CanvasNode): unknown => one.named?.['Constant'] ?? one.values?.[0];
  for (let at: Scope | undefined = scope; at; at = at.around?.scope)
    for (const other of at.nodes.values())
      if (other.type === SET && nameOf(other) === nameOf(node) && other.mode !== MUTED)
        return { place: { scope: at, node: other }, input: other.inputs[0] };
  return { kind: 'broken', why: `no ${SET} sets ${JSON.stringify(nameOf(node))}` };
}

/** The input that passes a bypassed node: at the same place if it fits, else of the same type, else the first that fits. */
function bypass({ inputs, outputs }: CanvasNode, output: number, wanted: string): Slot | undefined {
  if (wanted === '*') return inputs[output] ?? inputs[0];
  const given = outputs[output]?.type ?? wanted;
  const fits = (one: Slot | undefined) =>
    one !== undefined && match(one.type, given) && match(one.type, wanted);
  if (fits(inputs[output])) return inputs[output];
  return inputs.find(({ type }) => type === wanted) ?? inputs.find(fits);
}

function match(a: string, b: string): boolean {
  if (a === '*' || b === '*') return true;
  const others = b.toLowerCase().split(',');
  return a
    .toLowerCase()
    .split(',')
    .some((one) => others.includes(one));
}
