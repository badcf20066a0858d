// JSON as ComfyUI and people write it. Source: docs/comfyui.md.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, parsePythonJson, stringifyJson } from '../../functions/core/json.ts';

test.each(['13520934829384756123', '18446744073709551615', '-9007199254740993', '9007199254740992'])(
  'keeps %s exactly, there and back',
  (digits) => {
    const text = `{"seed":${digits}}`;
    expect(parseJson(text)).toEqual({ seed: BigInt(digits) });
    expect(stringifyJson(parseJson(text))).toBe(text);
  },
);

test('what fits a number is one', () => {
  expect(parseJson('{"a":9007199254740991,"b":0.1234567890123456789,"c":"1234567890123456789"}')).toEqual({
    a: Number.MAX_SAFE_INTEGER,
    b: 0.12345678901234568,
    c: '1234567890123456789',
  });
});

test('any whole number survives', () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), (value) => {
      expect(BigInt((parseJson(`[${value}]`) as [number | bigint])[0])).toBe(value);
      expect(stringifyJson([value])).toBe(`[${value}]`);
    }),
  );
});

test('reads what Python writes for what is no number', () => {
  expect(parsePythonJson('{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN, \\"Infinity\\"","d":1}')).toEqual({
    a: null,
    b: [null, null],
    c: 'NaN, "Infinity"',
    d: 1,
  });
  expect(() => parsePythonJson('{"a":NaN')).toThrow(SyntaxError);
  expect(() => parseJson('{"a":NaN}')).toThrow(SyntaxError);
});

test('any JSON is read as JSON.parse reads it, and written again, whatever its strings look like', () => {
  const digits = fc.stringMatching(/^~?[-:,[\]{}"\\ .eE0-9~ns]{0,40}$/);
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      digits,
      fc.bigInt(2n ** 53n, 2n ** 80n),
      (value, text, big) => {
        // Its own whole numbers are read exactly, which JSON.parse does not do.
        fc.pre(!/\d{16}/.test(JSON.stringify(value)));
        // A string of digits calls for the slower way.
        const all = [value, text, { [text]: '12345678901234567890', __proto__: null }];
        const written = JSON.stringify(all);
        expect(parseJson(written)).toEqual(JSON.parse(written));
        expect(parseJson(stringifyJson([all, big]))).toEqual([JSON.parse(written), big]);
      },
    ),
  );
});

test.each([
  '[1234567890123456789',
  '[01234567890123456789]',
  '[1234567890123456789a]',
  '["1234567890123456789]',
  '[--1234567890123456789]',
  '[1234567890123456789 1234567890123456789]',
  '{1234567890123456789:1}',
  '1234567890123456789"a"',
])('%s is no JSON', (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
});

test.each([
  '[0.12345678901234567]',
  '[1e-12345678901234567]',
  '[12345678901234567.5]',
  '[1234567890123456789E2]',
])('the number of %s is as JSON.parse has it', (text) => {
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test('what looks like the way in which numbers are carried is only text', () => {
  const texts = ['~n5', '~s', '~', '"~n5"', '\n~n5', '~n12345678901234567890'];
  const value = { texts, '~n5': 1, '~s:': '~s:', big: 12345678901234567890n };
  expect(parseJson(stringifyJson(value))).toEqual(value);
  expect(parseJson('["\\u007en5", 12345678901234567890]')).toEqual(['~n5', 12345678901234567890n]);
});

test('a key is only a key: of duplicates the last counts, __proto__ is none', () => {
  expect(parseJson('{"a":1234567890123456789,"a":2}')).toEqual({ a: 2 });
  const value = parseJson('{"__proto__":1234567890123456789}') as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.entries(value)).toEqual([['__proto__', 1234567890123456789n]]);
});

test('a text of many megabytes beside a whole number that does not fit is read, and written', () => {
  const text = `{"seed":18446744073709551615,"image":"${'A'.repeat(16_000_000)}","escaped":"${'\\n'.repeat(2_000_000)}"}`;
  const value = parseJson(text) as Record<string, unknown>;
  expect(value['seed']).toBe(18446744073709551615n);
  expect(stringifyJson(value) === text).toBe(true);
});

test('what is nested too deeply is no JSON, and what is circular is refused', () => {
  expect(() => parseJson(`${'['.repeat(200_000)}1234567890123456789`)).toThrow(SyntaxError);
  const circular: unknown[] = [1n];
  circular.push(circular);
  expect(() => stringifyJson(circular)).toThrow(TypeError);
});
