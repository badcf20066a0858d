// The inputs of one node in a graph. Inputs that ComfyUI declares by a template ("autogrow") or by a chosen key ("dynamic
// combo") are expanded for the values that the node has. Source: parse_class_inputs in comfy_api/latest/_io.py of 0.33.0.
// Other dynamic declarations are ignored.

import { recordOf } from './json-value.ts';

export interface Declared {
  /** ComfyUI refuses a node without it, if the input is not `unchosen`. */
  required: boolean;
  /** A type name, several separated by commas, or a list of values. */
  type: unknown;
  extra: Record<string, unknown>;
  /** Present only for the chosen key of another input. */
  nested: boolean;
  /** A dynamic combo without one of its keys: ComfyUI does not look at it, and the run fails. */
  unchosen: boolean;
}

export interface Declaration {
  /** By name. */
  inputs: Map<string, Declared>;
  /** Are some of them there for the values that the node has? ComfyUI then shortens the names that it reports. */
  isDynamic: boolean;
}

export const AUTOGROW = 'COMFY_AUTOGROW_V3';
export const DYNAMIC_COMBO = 'COMFY_DYNAMICCOMBO_V3';
export const DYNAMIC_SLOT = 'COMFY_DYNAMICSLOT_V3';
/** ComfyUI's own limit for an autogrow. */
const MOST_NAMES = 100;

type Values = Record<string, unknown>;

/** @param input a class's `input` of `GET /object_info`; @param given the node's inputs in the graph */
export function declarationOf(input: unknown, given: Values): Declaration {
  const declaration: Declaration = { inputs: new Map(), isDynamic: false };
  expand(declaration, input, given, '');
  return declaration;
}

/** @returns by name */
export function declaredInputs(input: unknown, given: Values): Map<string, Declared> {
  return declarationOf(input, given).inputs;
}

function expand(declaration: Declaration, input: unknown, given: Values, prefix: string): void {
  for (const category of ['required', 'optional'])
    for (const [name, value] of Object.entries(recordOf(recordOf(input)[category]))) {
      if (!Array.isArray(value)) continue;
      const [type, more] = value as [unknown, unknown];
      const extra = recordOf(more);
      const id = prefix + name;
      if (type === AUTOGROW) {
        grow(declaration, recordOf(extra['template']), id);
        continue;
      }
      const inner = innerOf(type, extra, Object.hasOwn(given, id) ? given[id] : undefined);
      declaration.inputs.set(id, {
        type,
        extra,
        required: category === 'required' && type !== DYNAMIC_SLOT,
        nested: prefix !== '',
        unchosen: DYNAMIC.includes(String(type)) && inner === undefined,
      });
      if (inner === undefined && prefix === '') continue;
      declaration.isDynamic = true;
      if (inner !== undefined) expand(declaration, inner, given, `${id}.`);
    }
}

const DYNAMIC = [DYNAMIC_COMBO, DYNAMIC_SLOT];

/** What the input's value adds; undefined: nothing. */
function innerOf(type: unknown, extra: Record<string, unknown>, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (type === DYNAMIC_SLOT) return recordOf(extra['inputs']);
  const options: unknown = extra['options'];
  if (type !== DYNAMIC_COMBO || !Array.isArray(options)) return undefined;
  const option: unknown = options.find((one) => recordOf(one)['key'] === value);
  return option === undefined ? undefined : recordOf(recordOf(option)['inputs']);
}

/** The first `min` names are required, unless the template's input is optional. 0.8.0 requires none, and its run fails. */
function grow(declaration: Declaration, template: Record<string, unknown>, id: string): void {
  const { names: listed, prefix, max, min, input } = template;
  const names: unknown[] = Array.isArray(listed)
    ? listed.slice(0, MOST_NAMES)
    : Array.from(
        { length: Math.min(Number(max) || 0, MOST_NAMES) },
        (_, index) => `${String(prefix)}${index}`,
      );
  const [first] = ['required', 'optional'].flatMap((category) =>
    Object.values(recordOf(recordOf(input)[category])).map((value) => ({ category, value })),
  );
  declaration.isDynamic = true;
  if (!first || !Array.isArray(first.value)) return;
  const [type, more] = first.value as [unknown, unknown];
  for (const [index, name] of names.entries())
    declaration.inputs.set(`${id}.${String(name)}`, {
      type,
      extra: recordOf(more),
      required: first.category === 'required' && index < Number(min),
      nested: false,
      unchosen: false,
    });
}
