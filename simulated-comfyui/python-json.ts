// JSON as Python reads and writes it: integers of any size, and bare NaN and Infinity, which are not JSON.
// Nothing is rounded or dropped: a value is written as it was read.
import { parse } from 'lossless-json';

type Word = 'NaN' | 'Infinity' | '-Infinity';

/** A number that JSON cannot express. */
export class Bare {
  readonly word: Word;
  constructor(word: Word) {
    this.word = word;
  }
  /** Makes JSON.stringify throw, so that `wire` writes it as Python does. */
  toJSON(): never {
    throw new TypeError(`${this.word} is no JSON`);
  }
}

/** Strings are matched too, so that a NaN within one is unchanged. */
const words = /"(?:[^"\\]|\\[^])*"|-?\bInfinity\b|\bNaN\b/g;
/** Placeholders while the text is read: numbers that no client writes. */
const standIns: Record<Word, string> = { NaN: '1e99991', Infinity: '1e99992', '-Infinity': '1e99993' };
const meant = new Map(Object.entries(standIns).map(([word, digits]) => [digits, word as Word]));

/** Only a run of so many digits may not fit a number; otherwise JSON.parse is used, which is faster. */
const manyDigits = /\d{16}/;

function exactly(digits: string): number | bigint {
  const value = Number(digits);
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
}

function readExactly(text: string): unknown {
  if (!manyDigits.test(text)) return JSON.parse(text);
  try {
    // If a key is repeated, its last value counts, as in Python.
    return parse(text, undefined, { parseNumber: exactly, onDuplicateKey: ({ newValue }) => newValue });
  } catch (error) {
    throw error instanceof RangeError ? new SyntaxError('nested too deeply') : error;
  }
}

/** @throws SyntaxError for text that Python would not read either */
export function loads(text: string): unknown {
  try {
    return readExactly(text);
  } catch (error) {
    const readable = text.replaceAll(words, (token) => standIns[token as Word] ?? token);
    if (readable === text) throw error;
    return parse(readable, undefined, {
      parseNumber: (digits) => {
        const word = meant.get(digits);
        return word === undefined ? exactly(digits) : new Bare(word);
      },
    });
  }
}

/** json.dumps: blanks after commas and colons, and ASCII only, so that a Latin-1 PNG text can carry it. */
export function dumps(value: unknown): string {
  if (value instanceof Bare) return value.word;
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(dumps).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => `${dumps(key)}: ${dumps(inner)}`);
    return `{${members.join(', ')}}`;
  }
  return (JSON.stringify(value) ?? 'null').replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Uses the fast way if possible. */
export function wire(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Thrown by a Bare or by a bigint.
    if (!(error instanceof TypeError)) throw error;
    return dumps(value);
  }
}
