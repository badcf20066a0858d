// Reads ComfyUI's `GET /object_info`: node classes and the values that their lists allow. Three spellings of a list are in
// use: [["a","b"], {…}], ["COMBO", {"options": ["a","b"]}], and ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key"}]}].
// A requirement is missing only where ComfyUI would surely refuse the graph, so that another host may run it.

import { type Declared, declaredInputs, DYNAMIC_COMBO } from './declared-inputs.ts';
import { replacementOf } from './replaced-nodes.ts';

/** Node class → its declaration; only the parts that are read here. */
export type ObjectInfo = Record<
  string,
  {
    input?: { required?: Record<string, unknown>; optional?: Record<string, unknown> };
    /** Output types, by index. */
    output?: unknown;
    output_node?: boolean;
    display_name?: string | null;
    /** The order in which ComfyUI's page shows them. */
    input_order?: { required?: string[]; optional?: string[] };
    /** Where it comes from: `nodes`, `comfy_extras.…`, `custom_nodes.…`. */
    python_module?: string;
    /** Only nodes of ComfyUI's newer kind ("V3") have it. */
    output_matchtypes?: unknown;
  }
>;

export interface GraphNode {
  class_type: string;
  inputs: Record<string, unknown>;
  _meta?: { title?: string };
}
/** ComfyUI's "prompt graph": node id → node. A link is `[node id, output index]`. */
export type Graph = Record<string, GraphNode>;

/** Parses `[node id, output index]`, as ComfyUI's validation does; undefined for any other value. */
export function linkOf(value: unknown): { node: string; output: number } | undefined {
  return Array.isArray(value) && value.length === 2 && typeof value[1] === 'number'
    ? { node: String(value[0]), output: value[1] }
    : undefined;
}

/** ComfyUI compares values with their type: `8` is in a list of numbers, `"8"` is not. */
export type Option = string | number | boolean;

type Given = Record<string, unknown>;

/** @param given the node's inputs in the graph; without it, inputs declared by keys are not known */
function declaredOf(info: ObjectInfo, classType: string, field: string, given?: Given): Declared | undefined {
  return declaredInputs(info[classType]?.input, given ?? {}).get(field);
}

/**
 * The allowed values of a list input; undefined where the node or field is unknown or is not a list. Of keys, those whose
 * required inputs the node has: ComfyUI refuses the others.
 * @param given the node's inputs in the graph
 */
export function optionsOf(
  info: ObjectInfo,
  classType: string,
  field: string,
  given?: Given,
): Option[] | undefined {
  const { type, extra } = declaredOf(info, classType, field, given) ?? {};
  const list: unknown = Array.isArray(type)
    ? type
    : LISTS.includes(String(type))
      ? extra?.['options']
      : undefined;
  if (!Array.isArray(list)) return undefined;
  return (list as unknown[]).flatMap((one) => {
    const isKey = typeof one === 'object' && one !== null;
    if (isKey && given && !hasInputsOf(one, field, given)) return [];
    const value = isKey ? (one as { key?: unknown }).key : one;
    return ['string', 'number', 'boolean'].includes(typeof value) ? [value as Option] : [];
  });
}

function hasInputsOf(option: { inputs?: unknown }, field: string, given: Given): boolean {
  const inner = Object.entries(given).filter(([name]) => name.startsWith(`${field}.`));
  const own = Object.fromEntries(inner.map(([name, value]) => [name.slice(field.length + 1), value]));
  return [...declaredInputs(option.inputs, own)].every(
    ([name, { required }]) => !required || Object.hasOwn(own, name),
  );
}

/** Is the field a key that adds inputs? ComfyUI accepts any value, and the run then fails (0.33.0). */
export function isKey(info: ObjectInfo, classType: string, field: string): boolean {
  return declaredOf(info, classType, field)?.type === DYNAMIC_COMBO;
}

const LISTS = ['COMBO', DYNAMIC_COMBO];

const MODEL_FILE = /\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$/i;

/** Does this value name a model file? */
export function isModelFile(value: unknown): value is string {
  return typeof value === 'string' && MODEL_FILE.test(value);
}

/** Inputs whose files are uploaded or fetched: their list is not complete in advance. */
const FETCHED = ['image_upload', 'audio_upload', 'video_upload', 'file_upload', 'remote'];

/**
 * Is this value a model file that a plain list of files does not have? A node's own validation may accept other values that
 * are not in the list (CustomCombo, wildcards, `x.png [output]`).
 */
export function isMissingModel(
  info: ObjectInfo,
  classType: string,
  field: string,
  value: unknown,
  given: Given,
): value is string {
  if (!isModelFile(value)) return false;
  const extra = declaredOf(info, classType, field, given)?.extra ?? {};
  if (FETCHED.some((kind) => Boolean(extra[kind]))) return false;
  const options = optionsOf(info, classType, field, given);
  return options !== undefined && !options.includes(value);
}

export interface MissingRequirement {
  node: string;
  classType: string;
  /** Absent when the class itself is unknown. */
  field?: string;
  value?: string;
}

/** Node classes and model files that `graph` names and a ComfyUI with this `info` does not have. */
export function missingRequirements(graph: Graph, info: ObjectInfo): MissingRequirement[] {
  return Object.entries(graph).flatMap(([node, { class_type: classType, inputs }]): MissingRequirement[] => {
    if (!info[classType]) return replacementOf(classType, info) ? [] : [{ node, classType }];
    return Object.entries(inputs).flatMap(([field, value]) =>
      isMissingModel(info, classType, field, value, inputs) ? [{ node, classType, field, value }] : [],
    );
  });
}

/** The model files that a graph names: list values that look like files. */
export function modelsOf(graph: Graph): string[] {
  const names = Object.values(graph).flatMap(({ inputs }) => Object.values(inputs).filter(isModelFile));
  return [...new Set(names)].sort();
}

/** Nodes and model files of one ComfyUI. */
export interface Inventory {
  nodes: ObjectInfo;
  /** Folder → file names. */
  models: Record<string, string[]>;
}
