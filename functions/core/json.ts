// JSON with Python's extensions: bare NaN and Infinity, and whole numbers of any size (a seed has 64 bits, a JavaScript
// number 53). Whole numbers that a number cannot hold are read and written as bigints.

/** Only digits that may not fit a number call for the slower way. */
const MANY_DIGITS = /\d{16}/;
/**
 * A string, with the colon if it is a key, or a whole number that may not fit. Such a number is carried through JSON.parse as
 * the string `~n<digits>`, and a string value that may begin with `~` as `~s<itself>`.
 */
const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"(\s*:)?|(?<![\w.+-])-?[1-9]\d{15,}(?![\d.eE]|\s*:)/g;

/** Strings are matched too, so that a NaN within one stays. */
const BARE = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

/** @throws SyntaxError for text that is not JSON, or nested too deeply */
export function parseJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  const carried = text.replaceAll(TOKEN, (token, colon?: string) => {
    if (!token.startsWith('"')) return `"~n${token}"`;
    // An escape may be that of `~`.
    return colon === undefined && /^"[~\\]/.test(token) ? `"~s${token.slice(1)}` : token;
  });
  try {
    return restored(JSON.parse(carried));
  } catch (error) {
    throw error instanceof RangeError ? new SyntaxError('nested too deeply') : error;
  }
}

/** In place: most values stay as they are. */
function restored(value: unknown): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith('~')) return value;
    return value.startsWith('~n') ? exactly(value.slice(2)) : value.slice(2);
  }
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, one] of Object.entries(value)) {
    const now = restored(one);
    // Not by assignment: a key may be `__proto__`.
    if (now !== one)
      Object.defineProperty(value, key, { value: now, enumerable: true, writable: true, configurable: true });
  }
  return value;
}

function exactly(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
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

/** Writes bigints as plain whole numbers. @throws TypeError for a circular value */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // JSON.stringify throws it for a bigint; a circular value is refused by both.
    if (!(error instanceof TypeError)) throw error;
    const carried = JSON.stringify(value, (_, one: unknown) => {
      if (typeof one === 'bigint') return `~n${one}`;
      return typeof one === 'string' && one.startsWith('~') ? `~s${one}` : one;
    });
    return carried.replaceAll(TOKEN, (token, colon?: string) => {
      if (colon !== undefined || !token.startsWith('"~')) return token;
      return token.startsWith('"~n') ? token.slice(3, -1) : `"${token.slice(3)}`;
    });
  }
}
