// Validates a caller's values against a template: type, bounds, choices.
// The error names the first bad field and what it should be.

import { AppError, type ErrorCode } from './errors.ts';
import { MAX_DRAWN_SEED, MAX_INTEGER, MAX_SEED, MAX_TEXT, MIN_INTEGER, MAX_INPUT_URL } from './limits.ts';
import { isKey, type ObjectInfo, type Option, optionsOf } from './object-info.ts';
import {
  type Bounds,
  boundsOf,
  type InputSpec,
  type InputValue,
  type InputValues,
  targetsOf,
  type Template,
} from './inputs-file.ts';

export interface ParsedInputs {
  values: InputValues;
  /** Sentences for the caller about side effects of an input. */
  notes: string[];
}

/**
 * @param body the request's own fields, without `preset` and `workflow`; `null` counts as absent
 * @param info the nodes against which choices are checked
 * @param randomSeed used where a seed is absent
 * @throws AppError missing_field, unknown_field or invalid_field
 */
export function parseInputs(
  template: Template,
  body: Record<string, unknown>,
  preset: string | undefined,
  info: ObjectInfo,
  randomSeed: () => number,
): ParsedInputs {
  for (const field of Object.keys(body))
    if (!Object.hasOwn(template.inputs, field)) throw unknownField(template, field);
  if (preset !== undefined && !Object.hasOwn(template.presets, preset))
    throw invalid('preset', `must be one of ${listed(Object.keys(template.presets))}`);

  const given = (name: string) => body[name] !== undefined && body[name] !== null;
  const defaults: InputValues = {};
  const notes: string[] = [];
  for (const [name, { when_set: effect }] of Object.entries(template.inputs)) {
    if (!effect || !given(name) || body[name] === '') continue;
    Object.assign(defaults, effect.defaults);
    const decided = Object.keys(effect.defaults ?? {}).every((other) => given(other));
    if (effect.note && !(decided && effect.defaults)) notes.push(effect.note);
  }
  Object.assign(defaults, preset === undefined ? {} : template.presets[preset]);

  const values: InputValues = {};
  for (const [name, spec] of Object.entries(template.inputs)) {
    const raw = given(name) ? body[name] : (defaults[name] ?? spec.default);
    if (spec.required && (raw === undefined || (typeof raw === 'string' && raw.trim() === '')))
      throw new AppError('missing_field', `Missing required field: ${name}`, { field: name });
    values[name] =
      spec.type === 'seed' && raw === undefined
        ? seedWithin(boundsOf(spec), randomSeed())
        : valueOf(name, spec, raw, choicesOf(template, spec, info));
  }
  const unfit = exceeded(template, values);
  if (unfit) throw unfit;
  return { values, notes };
}

/** A seed of at most 53 bits, if the bounds allow one. @param drawn any whole number from 0 */
function seedWithin({ minimum = 0, maximum = MAX_SEED }: Bounds, drawn: number): number | bigint {
  const least = BigInt(minimum);
  const most = maximum > MAX_DRAWN_SEED && minimum <= MAX_DRAWN_SEED ? MAX_DRAWN_SEED : maximum;
  return plain(least + (BigInt(drawn) % (BigInt(most) - least + 1n)));
}

/** A number where it is exact as one, else the bigint. */
function plain(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The error for the first input that exceeds its `at_most` input; an absent one sets no bound. */
export function exceeded(template: Template, values: InputValues): AppError | undefined {
  for (const [name, { at_most: other }] of Object.entries(template.inputs))
    if (other !== undefined && values[name]! > values[other]!)
      return invalid(name, `must be at most ${other} (${values[other]})`);
  return undefined;
}

/** The allowed values of a choice, or of a text that is a key for ComfyUI. Undefined: any text, or not known. */
export function choicesOf(template: Template, spec: InputSpec, info: ObjectInfo): Option[] | undefined {
  const [target] = targetsOf(spec);
  if (!target || (spec.type !== 'choice' && spec.type !== 'string')) return undefined;
  const { class_type: classType, inputs } = template.graph[target.node]!;
  if (spec.type === 'string' && !isKey(info, classType, target.field)) return undefined;
  return optionsOf(info, classType, target.field, inputs);
}

/** @param options the allowed values of a choice, where known. @returns the converted value. @throws AppError invalid_field */
export function valueOf(
  name: string,
  spec: InputSpec,
  raw: unknown,
  options: Option[] | undefined,
): InputValue {
  switch (spec.type) {
    case 'string':
      return options ? chosen(name, raw, options) : text(name, raw, spec.max_length ?? MAX_TEXT);
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
      return text(name, raw, MAX_INPUT_URL);
    case 'choice':
      return chosen(name, raw, options);
    case 'boolean':
      if (raw === true || raw === 'true') return true;
      if (raw === false || raw === 'false') return false;
      throw invalid(name, 'must be true or false');
    default:
      return numberValue(name, spec, raw);
  }
}

function chosen(name: string, raw: unknown, options: Option[] | undefined): InputValue {
  if (!options?.some((option) => typeof option === typeof raw)) text(name, raw, 200);
  if (!options) return raw as InputValue;
  // The list's own value: ComfyUI does not find the text "8" in a list of numbers.
  const choice = options.find((option) => String(option) === String(raw));
  if (choice === undefined) throw invalid(name, `must be one of ${listed(options.map(String))}`);
  return choice;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

const WHOLE = /^[+-]?\d+$/;

/** A number, also given as text. Undefined: not a number, or it lost digits in JSON. */
function numberOf(raw: unknown, whole: boolean): number | bigint | undefined {
  const text = typeof raw === 'string' ? raw.trim() : undefined;
  if (text !== undefined && WHOLE.test(text) && text.length <= MAX_DIGITS)
    return plain(BigInt(text.replace('+', '')));
  const value = text !== undefined && NUMBER.test(text) ? Number(text) : raw;
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  if (whole) return Number.isSafeInteger(value) ? value : undefined;
  // The table stores a large whole number exactly only as a bigint.
  return Math.abs(value) > Number.MAX_SAFE_INTEGER ? BigInt(value) : value;
}

/** Within what the table stores: 38 digits, and no magnitude below SMALLEST but 0. Source: DynamoDB, "Number". */
function isStorable(value: number | bigint): boolean {
  const size = Math.abs(Number(value));
  return size <= LARGEST && (size === 0 || size >= SMALLEST);
}

const LARGEST = 1e37;
const SMALLEST = 1e-125;

/** Longer than any allowed value. */
const MAX_DIGITS = 40;

function numberValue(name: string, spec: InputSpec, raw: unknown): number | bigint {
  const whole = spec.type !== 'number';
  const value = numberOf(raw, whole);
  const bounds = boundsOf(spec);
  const wanted = [
    whole ? 'must be a whole number' : 'must be a number',
    range(bounds),
    spec.multiple_of === undefined ? '' : ` and a multiple of ${spec.multiple_of}`,
  ].join('');
  const { minimum = whole ? MIN_INTEGER : -Infinity, maximum = whole ? MAX_INTEGER : Infinity } = bounds;
  if (value !== undefined && !isStorable(value))
    throw invalid(name, `must be 0 or a number from ${SMALLEST} to ${LARGEST} in size`);
  const fits =
    value !== undefined &&
    value >= minimum &&
    value <= maximum &&
    (spec.multiple_of === undefined || isMultiple(value, spec.multiple_of));
  if (!fits) throw invalid(name, wanted);
  // JSON and ComfyUI both have a negative zero; it is normalised to 0.
  return value === 0 ? 0 : value;
}

/** With a tolerance: 0.15 counts as a multiple of 0.05. */
function isMultiple(value: number | bigint, of: number): boolean {
  if (typeof value === 'bigint') return Number.isInteger(of) && value % BigInt(of) === 0n;
  const times = value / of;
  return Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
}

function range({ minimum, maximum }: Bounds): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

/** With the u flag a whole surrogate pair is one character: only a lone half matches. */
const HALF_PAIR = /\p{Surrogate}/u;
const CONTROL = /(?![\t\n\r])\p{Cc}/u;

function text(name: string, raw: unknown, maxLength: number): string {
  if (typeof raw !== 'string') throw invalid(name, 'must be a string');
  // A string of more than twice the units cannot fit: its code points need not be counted.
  const length = raw.length > maxLength * 2 ? raw.length : Array.from(raw).length;
  if (length > maxLength) throw invalid(name, `must have at most ${maxLength} characters; it has ${length}`);
  if (HALF_PAIR.test(raw)) throw invalid(name, 'must be valid Unicode (it has half of a surrogate pair)');
  if (CONTROL.test(raw))
    throw invalid(name, 'must not have control characters other than tabs and line breaks');
  return raw;
}

/** @param what completes "Invalid field: <field> …" */
export function invalid(field: string, what: string, code: ErrorCode = 'invalid_field'): AppError {
  return new AppError(code, `Invalid field: ${field} ${what}`, { field });
}

function unknownField(template: Template, field: string): AppError {
  const shown = Array.from(field).slice(0, 60).join('');
  return new AppError(
    'unknown_field',
    `Unknown field: ${shown}. The workflow ${template.name} takes ${listed(Object.keys(template.inputs))}, and preset, workflow, priority, webhook_url and metadata`,
    { field: shown },
  );
}

function listed(names: string[]): string {
  const shown = names.slice(0, 60).join(', ');
  return names.length > 60 ? `${shown}, … (${names.length} in all)` : shown || 'none: there are none';
}
