// JSON with Python's extensions: bare NaN and Infinity, and whole numbers of any size (a seed has 64 bits, a JavaScript
// number 53). Whole numbers that a number cannot hold are read and written as bigints.

import { parse, stringify } from 'lossless-json';

/** Only digits that may not fit a number call for the slower parser. */
const MANY_DIGITS = /\d{16}/;
const WHOLE = /^-?\d+$/;
/** Strings are matched too, so that a NaN within one stays. */
const BARE = /"(?:[^"\\]|\\[^])*"|-?\bInfinity\b|\bNaN\b/g;

/** @throws SyntaxError for text that is not JSON, or nested too deeply */
export function parseJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  try {
    // The last of duplicate keys counts, as in JSON.parse.
    return parse(text, undefined, { parseNumber: exactly, onDuplicateKey: ({ newValue }) => newValue });
  } catch (error) {
    throw error instanceof RangeError ? new SyntaxError('nested too deeply') : error;
  }
}

/** Like parseJson, for output of Python's `json`: a bare NaN or Infinity becomes null. @throws SyntaxError */
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

/** Writes bigints as plain whole numbers. @throws TypeError for a circular value */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // JSON.stringify throws it for a bigint; a circular value is refused by both.
    if (!(error instanceof TypeError)) throw error;
    return stringify(value)!;
  }
}
