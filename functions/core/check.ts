// A graph as a compiler would see it, against what a ComfyUI has: what it would refuse, or what is sure to fail in its
// run. What a node's own validation may take is not judged here. Source: validate_prompt and validate_inputs in
// execution.py, validate_node_input in comfy_execution/validation.py; 0.33.0. What it lacks is object-info.ts's.

import { stringifyJson } from './json.ts';
import { type Declared, declaredInputs, DYNAMIC_COMBO } from './declared.ts';
import { type Graph, linkOf, type ObjectInfo } from './object-info.ts';

/** A sentence each; nodes without an output behind them are not looked at, as ComfyUI does not. */
export function faultsOf(graph: Graph, info: ObjectInfo): string[] {
  const nodes = Object.entries(graph);
  const outputs = nodes.filter(([, { class_type: classType }]) => info[classType]?.output_node === true);
  const knowsAll = nodes.every(([, { class_type: classType }]) => info[classType]);
  if (outputs.length === 0) return knowsAll ? ['no node of it saves or shows anything'] : [];
  const faults: string[] = [];
  const reached = new Set<string>();
  const visit = (id: string) => {
    const node = graph[id];
    if (!node || reached.has(id)) return;
    reached.add(id);
    faults.push(...faultsOfNode(graph, id, info).map((what) => `node "${id}" (${node.class_type}): ${what}`));
    for (const value of Object.values(node.inputs)) visit(linkOf(value)?.node ?? '');
  };
  for (const [id] of outputs) visit(id);
  return faults;
}

function faultsOfNode(graph: Graph, id: string, info: ObjectInfo): string[] {
  const { class_type: classType, inputs } = graph[id]!;
  if (!info[classType]) return [];
  return [...declaredInputs(info[classType].input, inputs)].flatMap(([field, declared]) => {
    const what = Object.hasOwn(inputs, field)
      ? faultOfValue(graph, inputs[field], declared, info)
      : faultOfAbsence(declared);
    return what === undefined ? [] : [`"${field}" ${what}`];
  });
}

/** Nested keys have defaults of the node's own. */
function faultOfAbsence({ required, type, nested }: Declared): string | undefined {
  return required && !(type === DYNAMIC_COMBO && nested) ? 'is required and not there' : undefined;
}

function faultOfValue(
  graph: Graph,
  value: unknown,
  declared: Declared,
  info: ObjectInfo,
): string | undefined {
  const link = linkOf(value);
  if (!link) {
    if (Array.isArray(value)) return 'is a list, which must be a link: a list is written {"__value__": […]}';
    return declared.type === DYNAMIC_COMBO ? faultOfKey(value, declared) : undefined;
  }
  const source = graph[link.node]?.class_type ?? '';
  const types: unknown = info[source]?.output;
  if (!Array.isArray(types)) return undefined;
  // A number below zero counts from the end, in Python.
  if (link.output >= types.length)
    return `links to output ${link.output} of node "${link.node}" (${source}), which has ${types.length}`;
  const type: unknown = types.at(link.output);
  return takes(declared.type, type)
    ? undefined
    : `takes ${named(declared.type)}; output ${link.output} of node "${link.node}" (${source}) is ${named(type)}`;
}

/** ComfyUI takes any key and then runs the node without it. */
function faultOfKey(value: unknown, { required, nested, extra }: Declared): string | undefined {
  const options: unknown = extra['options'];
  if (!required || nested || !Array.isArray(options)) return undefined;
  const keys = options.map((option: { key?: unknown } | null) => option?.key);
  return keys.includes(value) ? undefined : `is ${stringifyJson(value)}, which is none of ${keys.join(', ')}`;
}

const ANY = ['*', 'COMFY_MATCHTYPE_V3'];

function takes(wanted: unknown, type: unknown): boolean {
  if ([wanted, type].some((one) => ANY.includes(String(one)))) return true;
  if (Array.isArray(type) && wanted === 'COMBO') return true;
  if (typeof wanted !== 'string' || typeof type !== 'string')
    return JSON.stringify(wanted) === JSON.stringify(type);
  const parts = (types: string) => types.split(',').map((one) => one.trim());
  return parts(type).some((one) => one === '*' || parts(wanted).includes(one)) || parts(wanted).includes('*');
}

function named(type: unknown): string {
  return typeof type === 'string' ? type : 'a choice from a list';
}
