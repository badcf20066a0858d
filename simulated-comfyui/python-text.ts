// Values and errors in Python's wording, because ComfyUI's refusals quote them.
// Covers only what those refusals need.
import { Bare } from './python-json.ts';

/** An exception by its Python name; what raises it decides where it is caught. */
export class PythonError extends Error {
  readonly pythonType: string;
  constructor(pythonType: string, message: string) {
    super(message);
    this.pythonType = pythonType;
  }
}

export const keyError = (key: unknown) => new PythonError('KeyError', repr(key));

export function repr(value: unknown): string {
  if (typeof value === 'string') {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
    return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
  }
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (value instanceof Bare) return value.word.replace('Infinity', 'inf').replace('NaN', 'nan');
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${repr(key)}: ${repr(inner)}`)
      .join(', ')}}`;
  }
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : typeof value;
}

export const str = (value: unknown) => (typeof value === 'string' ? value : repr(value));

/** JSON drops the ".0" of a float; Python's wording keeps it. */
export const floatStr = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value));

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  return Array.isArray(value) ? 'list' : 'dict';
}

export function toInt(value: unknown): number | bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof Bare) {
    if (value.word === 'NaN') throw new PythonError('ValueError', 'cannot convert float NaN to integer');
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  if (typeof value === 'string') {
    if (/^\s*[+-]?\d+\s*$/.test(value)) {
      const whole = BigInt(value.trim());
      return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
    }
    throw new PythonError('ValueError', `invalid literal for int() with base 10: ${repr(value)}`);
  }
  throw new PythonError(
    'TypeError',
    `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
  );
}

export function toFloat(value: unknown): number | Bare {
  if (typeof value === 'number' || value instanceof Bare) return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') {
    const [, sign, word] = /^\s*([+-]?)(nan|inf)(?:inity)?\s*$/i.exec(value) ?? [];
    if (word?.toLowerCase() === 'nan') return new Bare('NaN');
    if (word !== undefined) return new Bare(sign === '-' ? '-Infinity' : 'Infinity');
    if (/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) return Number(value);
    throw new PythonError('ValueError', `could not convert string to float: ${repr(value)}`);
  }
  throw new PythonError(
    'TypeError',
    `float() argument must be a string or a real number, not '${typeName(value)}'`,
  );
}

export function toBool(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Python's round(): halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
