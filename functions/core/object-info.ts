// Reads ComfyUI's `GET /object_info`: which nodes there are and which values their lists allow. Three spellings of a list
// are in use: [["a","b"], {…}], ["COMBO", {"options": ["a","b"]}], and ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key"}]}].
// What ComfyUI refuses it says itself; here stands only what it would surely refuse, so that another host may do better.

import { type Declared, declaredInputs, DYNAMIC_COMBO } from './declared.ts';

/** Node class → its inputs; only what is read here is described. */
export type ObjectInfo = Record<
  string,
  {
    input?: { required?: Record<string, unknown>; optional?: Record<string, unknown> };
    /** Types, by the outputs' numbers. */
    output?: unknown;
    output_node?: boolean;
  }
>;

export interface GraphNode {
  class_type: string;
  inputs: Record<string, unknown>;
  _meta?: { title?: string };
}
/** ComfyUI's "prompt graph": node id → node. A link is `[node id, output index]`. */
export type Graph = Record<string, GraphNode>;

/** `[node id, output index]`, as ComfyUI's validation tells a link from a list; undefined for what is none. */
export function linkOf(value: unknown): { node: string; output: number } | undefined {
  return Array.isArray(value) && value.length === 2 && typeof value[1] === 'number'
    ? { node: String(value[0]), output: value[1] }
    : undefined;
}

/** ComfyUI compares values with their type: `8` is in a list of numbers, `"8"` is not. */
export type Option = string | number | boolean;

type Given = Record<string, unknown>;

/** @param given what the node has in its graph; without it, what is declared by keys is not known */
function declarationOf(
  info: ObjectInfo,
  classType: string,
  field: string,
  given?: Given,
): Declared | undefined {
  return declaredInputs(info[classType]?.input, given ?? {}).get(field);
}

/**
 * The allowed values of a list input; undefined where the node or field is unknown or is no list. Of keys those for which
 * the node has the inputs that they ask for: with another ComfyUI refuses it.
 * @param given what the node has in its graph
 */
export function optionsOf(
  info: ObjectInfo,
  classType: string,
  field: string,
  given?: Given,
): Option[] | undefined {
  const { type, extra } = declarationOf(info, classType, field, given) ?? {};
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
    ([name, { required, type }]) => !required || type === DYNAMIC_COMBO || Object.hasOwn(own, name),
  );
}

/** Is it the key that brings other inputs along? ComfyUI takes any, and the run then fails (0.33.0). */
export function isKey(info: ObjectInfo, classType: string, field: string): boolean {
  return declarationOf(info, classType, field)?.type === DYNAMIC_COMBO;
}

const LISTS = ['COMBO', DYNAMIC_COMBO];

const MODEL_FILE = /\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$/i;

/** Files that are uploaded or fetched: their list says nothing in advance. */
const FETCHED = ['image_upload', 'audio_upload', 'video_upload', 'file_upload', 'remote'];

/**
 * Is this value a model file that a plain list of files does not have? Of other values a node's own validation may say
 * yes although the list does not (CustomCombo, wildcards, `x.png [output]`), which the list cannot show.
 */
function isMissingModel(
  info: ObjectInfo,
  classType: string,
  field: string,
  value: unknown,
  given: Given,
): value is string {
  if (typeof value !== 'string' || !MODEL_FILE.test(value)) return false;
  const extra = declarationOf(info, classType, field, given)?.extra ?? {};
  if (FETCHED.some((kind) => Boolean(extra[kind]))) return false;
  const options = optionsOf(info, classType, field, given);
  return options !== undefined && !options.includes(value);
}

/** Classes that are gone and that ComfyUI replaces by others before it validates (0.33.0, G71 and G99). */
const REPLACED = new Set([
  'ConditioningAverage ',
  'T2IAdapterLoader',
  'SDV_img2vid_Conditioning',
  'Load3DAnimation',
  'Preview3DAnimation',
]);

export interface MissingRequirement {
  node: string;
  classType: string;
  /** Absent when the class itself is unknown. */
  field?: string;
  value?: string;
}

/** What a ComfyUI with these nodes and files does not have of what `graph` asks for. */
export function missingRequirements(graph: Graph, info: ObjectInfo): MissingRequirement[] {
  return Object.entries(graph).flatMap(([node, { class_type: classType, inputs }]): MissingRequirement[] => {
    if (!info[classType]) return REPLACED.has(classType) ? [] : [{ node, classType }];
    return Object.entries(inputs).flatMap(([field, value]) =>
      isMissingModel(info, classType, field, value, inputs) ? [{ node, classType, field, value }] : [],
    );
  });
}

/** The model files that a graph names: list values that look like files. */
export function modelsOf(graph: Graph): string[] {
  const names = Object.values(graph).flatMap(({ inputs }) =>
    Object.values(inputs).filter(
      (value): value is string => typeof value === 'string' && MODEL_FILE.test(value),
    ),
  );
  return [...new Set(names)].sort();
}

/** What one ComfyUI has. */
export interface Inventory {
  nodes: ObjectInfo;
  /** Folder → file names. */
  models: Record<string, string[]>;
}
