// A static check of a graph against ComfyUI's node declarations: errors that ComfyUI would refuse, or that fail the run.
// It skips what a node's own validation may accept, and missing nodes and models (object-info.ts). Source: validate_prompt
// and validate_inputs in execution.py, validate_node_input in comfy_execution/validation.py; 0.33.0.

import { stringifyJson } from './json.ts';
import { type Declared, declaredInputs, DYNAMIC_COMBO } from './declared-inputs.ts';
import { type Graph, linkOf, type ObjectInfo } from './object-info.ts';

/** One sentence per problem. Nodes that no output node depends on are skipped, as in ComfyUI. */
export function problemsOf(graph: Graph, info: ObjectInfo): string[] {
  const nodes = Object.entries(graph);
  const outputs = nodes.filter(([, { class_type: classType }]) => info[classType]?.output_node === true);
  const knowsAll = nodes.every(([, { class_type: classType }]) => info[classType]);
  if (outputs.length === 0)
    return knowsAll ? ['no node of it is an output node: nothing would be saved'] : [];
  const problems: string[] = [];
  const reached = new Set<string>();
  const visit = (id: string) => {
    const node = graph[id];
    if (!node || reached.has(id)) return;
    reached.add(id);
    problems.push(
      ...problemsOfNode(graph, id, info).map((what) => `node "${id}" (${node.class_type}): ${what}`),
    );
    for (const value of Object.values(node.inputs)) visit(linkOf(value)?.node ?? '');
  };
  for (const [id] of outputs) visit(id);
  return problems;
}

function problemsOfNode(graph: Graph, id: string, info: ObjectInfo): string[] {
  const { class_type: classType, inputs } = graph[id]!;
  if (!info[classType]) return [];
  return [...declaredInputs(info[classType].input, inputs)].flatMap(([field, declared]) => {
    const what = Object.hasOwn(inputs, field)
      ? problemOfValue(graph, inputs[field], declared, info)
      : problemOfAbsence(declared);
    return what === undefined ? [] : [`"${field}" ${what}`];
  });
}

/** For an absent nested key the node has its own default. */
function problemOfAbsence({ required, type, nested }: Declared): string | undefined {
  return required && !(type === DYNAMIC_COMBO && nested) ? 'is required and missing' : undefined;
}

function problemOfValue(
  graph: Graph,
  value: unknown,
  declared: Declared,
  info: ObjectInfo,
): string | undefined {
  const link = linkOf(value);
  if (!link) {
    if (Array.isArray(value)) return 'is a list, which must be a link: a list is written {"__value__": […]}';
    return declared.type === DYNAMIC_COMBO ? problemOfKey(value, declared) : undefined;
  }
  const source = graph[link.node]?.class_type ?? '';
  const types: unknown = info[source]?.output;
  if (!Array.isArray(types)) return undefined;
  // Python counts negative indices from the end.
  if (link.output >= types.length)
    return `links to output ${link.output} of node "${link.node}" (${source}), which has ${types.length}`;
  const type: unknown = types.at(link.output);
  return takes(declared.type, type)
    ? undefined
    : `takes ${named(declared.type)}; output ${link.output} of node "${link.node}" (${source}) is ${named(type)}`;
}

/** ComfyUI accepts any key and then runs the node without the key's inputs. */
function problemOfKey(value: unknown, { required, nested, extra }: Declared): string | undefined {
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
