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
