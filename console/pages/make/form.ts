// What a form holds, and what is sent of it. Pure. Values are as they were typed; what is wrong is said by field, before it is sent.
// The API has the last word.

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
  | { kind: 'range'; minimum: number | undefined; maximum: number | undefined }
  | { kind: 'multiple'; of: number };

/** The form's inputs as what is typed has them. @param seeds fields whose seed is drawn anew for each job */
export function readValues(
  { inputs: { properties, required = [] } }: Form,
  values: Values,
  seeds: ReadonlySet<string>,
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
    const read = readValue(schema, value);
    if (typeof read === 'object') faults[name] = read;
    else if (read !== schema.default) inputs[name] = read;
  }
  return { inputs, faults };
}

function readValue(schema: InputSchema, value: string | boolean): string | number | boolean | Fault {
  if (typeof value === 'boolean' || schema.type === 'string') return value;
  const text = value.trim().replace(',', '.');
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return { kind: 'number' };
  const { minimum, maximum, multipleOf } = schema;
  // Seeds have up to 64 bits, and numbers here 53: they stay text.
  if (schema['x-input'] === 'seed') {
    if (!/^\d+$/.test(text)) return { kind: 'whole' };
    return BigInt(text) > 18446744073709551615n ? { kind: 'range', minimum: 0, maximum } : text;
  }
  const number = Number(text);
  if (schema.type === 'integer' && !Number.isInteger(number)) return { kind: 'whole' };
  if ((minimum !== undefined && number < minimum) || (maximum !== undefined && number > maximum))
    return { kind: 'range', minimum, maximum };
  if (multipleOf !== undefined && schema.type === 'integer' && number % multipleOf !== 0)
    return { kind: 'multiple', of: multipleOf };
  return number;
}

/** What a field shows. */
export function shownValue(schema: InputSchema, value: string | boolean | undefined): string | boolean {
  return value ?? (typeof schema.default === 'boolean' ? schema.default : String(schema.default ?? ''));
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
  const { properties, required = [] } = form.inputs;
  const names = Object.keys(properties);
  if (names.length <= 6) return { first: names, more: [] };
  const isFirst = (name: string) =>
    required.includes(name) || FIRST.test(name) || isFileType(properties[name]!['x-input']);
  return { first: names.filter(isFirst), more: names.filter((name) => !isFirst(name)) };
}

/** 32 bits: enough, and short to read. */
export function drawSeed(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}
