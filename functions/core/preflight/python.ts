// Values of JSON as Python writes, converts and compares them: ComfyUI's answers hold such texts, and its rules are Python's.

import { PythonError } from './answer.ts';

/** As `repr` writes it. A float without a fraction looks like a whole number: parsing JSON has dropped the difference. */
export function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const entries = Object.entries(value).map(([key, one]) => `${quoted(key)}: ${repr(one)}`);
  return `{${entries.join(', ')}}`;
}

/** As `str` writes it. */
export function str(value: unknown): string {
  return typeof value === 'string' ? value : repr(value);
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  // eslint-disable-next-line no-control-regex -- Python escapes them
  const escaped = text.replaceAll(/[\\\n\r\t\u0000-\u001f\u007f]/g, (one) => {
    return ESCAPES[one] ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'dict';
}

const WHOLE = /^[+-]?\d+(_\d+)*$/;
/** Python's own limit for the digits of a text. */
const MAX_DIGITS = 4300;

/** @throws PythonError */
export function int(value: unknown): number | bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return Math.trunc(value);
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  if (typeof value === 'string') {
    const text = value.trim();
    if (!WHOLE.test(text))
      throw new PythonError('ValueError', `invalid literal for int() with base 10: ${repr(value)}`);
    const digits = text.replaceAll('_', '').replace('+', '');
    if (digits.length > MAX_DIGITS)
      throw new PythonError(
        'ValueError',
        `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion`,
      );
    const whole = BigInt(digits);
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }
  throw new PythonError(
    'TypeError',
    `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
  );
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
const FLOAT = new RegExp(
  `^[+-]?(?:inf|infinity|nan|(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?)$`,
  'i',
);

/** @throws PythonError */
export function float(value: unknown): number {
  if (typeof value === 'boolean' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    const text = value.trim().toLowerCase().replaceAll('_', '');
    if (!FLOAT.test(value.trim()))
      throw new PythonError('ValueError', `could not convert string to float: ${repr(value)}`);
    return Number(text.replace(/inf(inity)?/, 'Infinity'));
  }
  throw new PythonError(
    'TypeError',
    `float() argument must be a string or a real number, not '${typeName(value)}'`,
  );
}

const isNumber = (value: unknown): value is number | bigint | boolean =>
  ['number', 'bigint', 'boolean'].includes(typeof value);

/** `a < b` or `a > b`. @throws PythonError where Python does not order them */
export function compare(a: unknown, sign: '<' | '>', b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) return sign === '<' ? a < b : a > b;
  if (typeof a === 'string' && typeof b === 'string') return sign === '<' ? a < b : a > b;
  throw new PythonError(
    'TypeError',
    `'${sign}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** `a == b`: true is 1, a text is never a number. */
export function equals(a: unknown, b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) return a <= b && a >= b;
  if (a === b || (isNone(a) && isNone(b))) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), b as Record<string, unknown>];
  return (
    left.length === Object.keys(b).length &&
    left.every(([key, one]) => Object.hasOwn(right, key) && equals(one, right[key]))
  );
}

const isNone = (value: unknown) => value === null || value === undefined;

/** As `if` reads it. */
export function isTruthy(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
