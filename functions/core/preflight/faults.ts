// What a ComfyUI would refuse of a template, or what fails its run, in sentences for people. It leaves out what a job's
// inputs replace, and what is reported as missing: node classes and model files.

import { AUTOGROW, declaredInputs, DYNAMIC_COMBO } from '../declared-inputs.ts';
import { type InputSpec, targetsOf } from '../inputs-file.ts';
import { stringifyJson } from '../json.ts';
import { type Graph, linkOf, missingRequirements, type ObjectInfo } from '../object-info.ts';
import type { Reason } from './answer.ts';
import { preflight } from './preflight.ts';

interface Checked {
  graph: Graph;
  inputs: Record<string, InputSpec>;
}

/** One sentence per fault. */
export function faultsOf({ graph, inputs }: Checked, info: ObjectInfo): string[] {
  const { error, node_errors: errors } = preflight(graph, [{ hostId: '', nodes: info }]);
  if (error?.type === 'missing_node_type') return [];
  if (error?.type === 'prompt_no_outputs') return ['no node of it is an output node: nothing would be saved'];
  const left = new Set([
    ...missingRequirements(graph, info).map(({ node, field }) => `${node}.${field}`),
    ...Object.values(inputs).flatMap((spec) => targetsOf(spec).map(({ node, field }) => `${node}.${field}`)),
  ]);
  const refused = Object.entries(errors).flatMap(([id, { errors: reasons }]) =>
    reasons
      .filter((reason) => !left.has(`${id}.${fieldOf(reason)}`) && !isInDoubt(reason, graph, id, info))
      .map((reason) => sentence(graph, id, wordsOf(reason, graph))),
  );
  const whole = error !== null && Object.keys(errors).length === 0 ? [error.message] : [];
  return [...whole, ...refused, ...unchosenKeys(graph, info)];
}

const sentence = (graph: Graph, id: string, what: string) =>
  `node "${id}" (${graph[id]!.class_type}): ${what}`;

function fieldOf({ extra_info: extra }: Reason): string {
  return String(extra['input_name']);
}

function wordsOf(reason: Reason, graph: Graph): string {
  const { type, message, details, extra_info: extra } = reason;
  const field = `"${fieldOf(reason)}"`;
  if (typeof extra['hint'] === 'string') return extra['hint'];
  switch (type) {
    case 'required_input_missing':
      return `${field} is required and missing`;
    case 'bad_linked_input':
      return `${field} is a list, which must be a link: a list is written {"__value__": […]}`;
    case 'return_type_mismatch': {
      const { node, output } = linkOf(extra['linked_node'])!;
      const [wanted] = extra['input_config'] as [unknown];
      return `${field} takes ${named(wanted)}; output ${output} of node "${node}" (${graph[node]?.class_type}) is ${named(extra['received_type'])}`;
    }
    default:
      return `${message}: ${details}`;
  }
}

function named(type: unknown): string {
  return typeof type === 'string' ? type : 'a choice from a list';
}

/** 0.8.0 needs any of an autogrow's inputs, 0.33.0 the first ones; one sentence is enough. */
function isInDoubt(reason: Reason, graph: Graph, id: string, info: ObjectInfo): boolean {
  if (reason.type !== 'required_input_missing') return false;
  const { class_type: classType, inputs } = graph[id]!;
  const [grown] = fieldOf(reason).split('.');
  const { required, optional } = info[classType]?.input ?? {};
  const declared: unknown = { ...optional, ...required }[grown!];
  if (!Array.isArray(declared) || declared[0] !== AUTOGROW) return false;
  const names = [...declaredInputs(info[classType]!.input, inputs).keys()].filter((one) =>
    one.startsWith(`${grown}.`),
  );
  return fieldOf(reason) !== names[0] || names.some((one) => Object.hasOwn(inputs, one));
}

/** ComfyUI accepts any key of a dynamic combo, and then runs the node without the key's inputs. */
function unchosenKeys(graph: Graph, info: ObjectInfo): string[] {
  return neededNodes(graph, info).flatMap((id) => {
    const { class_type: classType, inputs } = graph[id]!;
    return [...declaredInputs(info[classType]?.input, inputs)].flatMap(([field, declared]) => {
      const { type, required, nested, unchosen, extra } = declared;
      if (type !== DYNAMIC_COMBO || !required || nested || !unchosen || linkOf(inputs[field])) return [];
      if (!Object.hasOwn(inputs, field)) return [sentence(graph, id, `"${field}" is required and missing`)];
      const options = Array.isArray(extra['options'])
        ? (extra['options'] as ({ key?: unknown } | null)[])
        : [];
      const what = `"${field}" is ${stringifyJson(inputs[field])}, which is none of ${options.map((option) => option?.key).join(', ')}`;
      return [sentence(graph, id, what)];
    });
  });
}

/** The output nodes, and those that they depend on. */
function neededNodes(graph: Graph, info: ObjectInfo): string[] {
  const needed = new Set(
    Object.keys(graph).filter((id) => info[graph[id]!.class_type]?.output_node === true),
  );
  // A set's iteration goes on over what is added to it.
  for (const id of needed)
    for (const value of Object.values(graph[id]!.inputs)) {
      const source = linkOf(value)?.node;
      if (source !== undefined && Object.hasOwn(graph, source)) needed.add(source);
    }
  return [...needed];
}
