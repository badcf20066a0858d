// JSON whose whole numbers stay as they are written: seeds have 64 bits, and numbers here 53.

type Reviver = (name: string, value: unknown, context?: { source?: string }) => unknown;
/** Newer than the types of the language, and than some browsers: those round such a number, as they always have. */
const { rawJSON } = JSON as typeof JSON & { rawJSON?: (text: string) => unknown };

const asWritten: Reviver = (_, value, context) =>
  typeof value === 'number' &&
  Number.isInteger(value) &&
  !Number.isSafeInteger(value) &&
  context?.source !== undefined &&
  rawJSON
    ? rawJSON(context.source)
    : value;

/** A whole number as it was typed; undefined: what was typed is none, or a number can hold it. */
export const exactInteger = (typed: string): unknown =>
  /^-?[1-9]\d*$/.test(typed) && !Number.isSafeInteger(Number(typed)) ? parseExact(typed) : undefined;

/** For `JSON.stringify`: what is too large for a number is none. */
export const parseExact = (text: string): unknown => JSON.parse(text, asWritten);
