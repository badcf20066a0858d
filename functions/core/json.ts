// JSON as ComfyUI and people write it. Python writes NaN and Infinity bare, and whole numbers of any size: a seed has 64
// bits, a JavaScript number 53. Whole numbers that a number cannot hold are bigints here, on the way in and out.

import { parse, stringify } from 'lossless-json';

/** A run of digits that may not fit a number: only then is the slower reader worth its time. */
const MANY_DIGITS = /\d{16}/;
const WHOLE = /^-?\d+$/;
/** Strings are matched too, so that a NaN within one is left as it is. */
const BARE = /"(?:[^"\\]|\\[^])*"|-?\bInfinity\b|\bNaN\b/g;

/** @throws SyntaxError for what is no JSON, or nested too deeply */
export function parseJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  try {
    // Of a key that comes twice the last counts, as for JSON.parse.
    return parse(text, undefined, { parseNumber: exactly, onDuplicateKey: ({ newValue }) => newValue });
  } catch (error) {
    throw error instanceof RangeError ? new SyntaxError('nested too deeply') : error;
  }
}

/** Like parseJson, for what Python's `json` wrote: a bare NaN or Infinity is null. @throws SyntaxError */
export function parsePythonJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const plain = text.replaceAll(BARE, (token) => (token.startsWith('"') ? token : 'null'));
    if (plain === text) throw error;
    return parseJson(plain);
  }
}

function exactly(digits: string): number | bigint {
  const value = Number(digits);
  return WHOLE.test(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
}

/** The other way: bigints are written as plain whole numbers. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // What JSON.stringify refuses a bigint with; a circle is refused by both.
    if (!(error instanceof TypeError)) throw error;
    return stringify(value)!;
  }
}
