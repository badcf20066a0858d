// The inputs of one node in a graph. Inputs that ComfyUI declares by a template ("autogrow") or by a chosen key ("dynamic
// combo") are expanded for the values that the node has. Source: parse_class_inputs in comfy_api/latest/_io.py of 0.33.0.
// Other dynamic declarations are ignored.

export interface Declared {
  required: boolean;
  /** A type name, several separated by commas, or a list of values. */
  type: unknown;
  extra: Record<string, unknown>;
  /** Present only for the chosen key of another input. */
  nested: boolean;
}

export const AUTOGROW = 'COMFY_AUTOGROW_V3';
export const DYNAMIC_COMBO = 'COMFY_DYNAMICCOMBO_V3';
export const DYNAMIC_SLOT = 'COMFY_DYNAMICSLOT_V3';
/** ComfyUI's own limit for an autogrow. */
const MOST_NAMES = 100;

type Values = Record<string, unknown>;

/** @param input a class's `input` of `GET /object_info`; @param given the node's inputs in the graph. @returns by name */
export function declaredInputs(input: unknown, given: Values): Map<string, Declared> {
  const declared = new Map<string, Declared>();
  expand(declared, input, given, '');
  return declared;
}

function expand(declared: Map<string, Declared>, input: unknown, given: Values, prefix: string): void {
  for (const category of ['required', 'optional'])
    for (const [name, value] of Object.entries(recordOf(recordOf(input)[category]))) {
      if (!Array.isArray(value)) continue;
      const [type, more] = value as [unknown, unknown];
      const extra = recordOf(more);
      const id = prefix + name;
      const own = { type, extra, nested: prefix !== '' };
      if (type === AUTOGROW) grow(declared, recordOf(extra['template']), id, given);
      else declared.set(id, { ...own, required: category === 'required' && type !== DYNAMIC_SLOT });
      const inner =
        type === DYNAMIC_COMBO
          ? chosen(extra, given[id])
          : type === DYNAMIC_SLOT && given[id] && extra['inputs'];
      if (inner) expand(declared, inner, given, `${id}.`);
    }
}

function chosen(extra: Record<string, unknown>, key: unknown): unknown {
  const options: unknown = extra['options'];
  if (key === undefined || !Array.isArray(options)) return undefined;
  return recordOf(options.find((option) => recordOf(option)['key'] === key))['inputs'];
}

/**
 * One of the names must be present, unless the template's input is optional. 0.33.0 requires the first `min` of them; 0.8.0
 * requires none and fails during the run without any. Where at least one is present, ComfyUI decides.
 */
function grow(
  declared: Map<string, Declared>,
  template: Record<string, unknown>,
  id: string,
  given: Values,
): void {
  const { names: listed, prefix, max, min, input } = template;
  const names: unknown[] = Array.isArray(listed)
    ? listed
    : Array.from(
        { length: Math.min(Number(max) || 0, MOST_NAMES) },
        (_, index) => `${String(prefix)}${index}`,
      );
  const [first] = ['required', 'optional'].flatMap((category) =>
    Object.values(recordOf(recordOf(input)[category])).map((value) => ({ category, value })),
  );
  if (!first || !Array.isArray(first.value)) return;
  const [type, more] = first.value as [unknown, unknown];
  const ids = names.map((name) => `${id}.${String(name)}`);
  const isRequired =
    first.category === 'required' && Number(min) > 0 && !ids.some((one) => Object.hasOwn(given, one));
  for (const [index, one] of ids.entries())
    declared.set(one, { required: isRequired && index === 0, type, extra: recordOf(more), nested: false });
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
