// What a form holds, and what is sent of it. Pure. Values are as they were typed; what is wrong is said by field, before it is sent.
// The API has the last word.

import { type Reading, typedNumber } from '../../parts/typed-number.ts';
import type { Inputs } from '../../state/jobs.ts';
import type { Form, InputSchema } from '../../state/workflows.ts';
import { isFileType } from '../../state/file-types.ts';

/** By the input's name; absent: as the workflow has it. */
export type Values = Record<string, string | boolean>;

export interface Faults {
  [field: string]: Fault;
}
export type Fault =
  | { kind: 'required' }
  | { kind: 'number' }
  | { kind: 'whole' }
  | { kind: 'grouped' }
  | { kind: 'uploading' }
  | { kind: 'range'; minimum: number | undefined; maximum: number | undefined }
  | { kind: 'multiple'; of: number };

/** The form's inputs as what is typed has them. @param seeds fields whose seed is drawn anew for each job. @param decimal of the page's language */
export function readValues(
  { inputs: { properties, required } }: Form,
  values: Values,
  seeds: ReadonlySet<string>,
  decimal: Reading['decimal'],
): { inputs: Inputs; faults: Faults } {
  const inputs: Inputs = {};
  const faults: Faults = {};
  for (const [name, schema] of Object.entries(properties)) {
    const value = values[name];
    if (schema['x-input'] === 'seed' && seeds.has(name)) continue;
    if (value === undefined || (value === '' && schema.default !== '')) {
      if (required.includes(name)) faults[name] = { kind: 'required' };
      continue;
    }
    const read = readValue(schema, value, decimal);
    if (typeof read === 'object') faults[name] = read;
    else if (read !== schema.default) inputs[name] = read;
  }
  return { inputs, faults };
}

function readValue(
  schema: InputSchema,
  value: string | boolean,
  decimal: Reading['decimal'],
): string | number | boolean | Fault {
  if (typeof value === 'boolean' || schema.type === 'string') return value;
  if (schema.enum) return schema.enum.find((one) => String(one) === value) ?? value;
  const { minimum, maximum, multipleOf } = schema;
  const fits = (one: number) => !(one < (minimum ?? -Infinity) || one > (maximum ?? Infinity));
  const number = typedNumber(value, { decimal, isWhole: schema.type === 'integer', fits });
  if (typeof number === 'string') return { kind: number === 'none' ? 'number' : number };
  // Seeds have up to 64 bits, and numbers here 53: they stay text.
  if (schema['x-input'] === 'seed') {
    const text = value.trim();
    if (!/^\d+$/.test(text)) return { kind: 'whole' };
    return BigInt(text) > 18446744073709551615n ? { kind: 'range', minimum: 0, maximum } : text;
  }
  if (schema.type === 'integer' && !Number.isInteger(number)) return { kind: 'whole' };
  if (!fits(number)) return { kind: 'range', minimum, maximum };
  if (multipleOf !== undefined && schema.type === 'integer' && number % multipleOf !== 0)
    return { kind: 'multiple', of: multipleOf };
  return number;
}

const TIMES: InputSchema = { type: 'integer', 'x-input': 'integer', minimum: 1, maximum: 16 };

/** How many jobs are asked for at once. */
export const readTimes = (typed: string, decimal: Reading['decimal']): number | Fault =>
  readValue(TIMES, typed, decimal) as number | Fault;

/** What a field shows. */
export function shownValue(schema: InputSchema, value: string | boolean | undefined): string | boolean {
  return value ?? (typeof schema.default === 'boolean' ? schema.default : String(schema.default ?? ''));
}

/** The preset whose values the form has: of several the one that says the most. */
export function presetOf({ presets, inputs: { properties } }: Form, values: Values): string | undefined {
  const isHeld = ([field, value]: [string, unknown]) => {
    const schema = properties[field];
    return schema !== undefined && String(shownValue(schema, values[field])) === String(value);
  };
  const held = Object.entries(presets).filter(([, set]) => Object.entries(set).every(isHeld));
  return held.toSorted(([, a], [, b]) => Object.keys(b).length - Object.keys(a).length)[0]?.[0];
}

/** A form that makes the same again. */
export function valuesOf(inputs: Record<string, unknown>): Values {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, typeof value === 'boolean' ? value : String(value)]),
  );
}

/** Fields that most people set come first, the others are folded away. */
const FIRST = /^(prompt|text|image\d*|mask|control_image|reference|seed|width|height|size|duration|length)$/;

export function splitFields(form: Form): { first: string[]; more: string[] } {
  const { properties, required } = form.inputs;
  const names = Object.keys(properties);
  if (names.length <= 6) return { first: names, more: [] };
  const isFirst = (name: string) =>
    required.includes(name) || FIRST.test(name) || isFileType(properties[name]!['x-input']);
  return { first: names.filter(isFirst), more: names.filter((name) => !isFirst(name)) };
}

const MAX_SEED = 2n ** 64n - 1n;

/** Of several that are asked for at once, what the one after `count` others is made of: a kept seed counts up, or all were the same. */
export function inputsAfter({ inputs: { properties } }: Form, inputs: Inputs, count: number): Inputs {
  const seeds = Object.entries(inputs).filter(([name]) => properties[name]?.['x-input'] === 'seed');
  return {
    ...inputs,
    ...Object.fromEntries(
      seeds.map(([name, seed]) => [name, seedAfter(properties[name]!, BigInt(seed), BigInt(count))]),
    ),
  };
}

/** After the most follows the least. */
function seedAfter({ minimum = 0, maximum }: InputSchema, seed: bigint, count: bigint): string {
  const least = BigInt(minimum);
  const most = wholeOf(maximum) ?? MAX_SEED;
  return String(least + ((seed - least + count) % (most - least + 1n)));
}

/** Of more than 53 bits a number came rounded: such bounds are one less than a power of two. */
function wholeOf(bound: number | undefined): bigint | undefined {
  if (bound === undefined) return undefined;
  return BigInt(bound) - (Number.isSafeInteger(bound) ? 0n : 1n);
}

/** 32 bits: enough, and short to read. */
export function drawSeed(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}
