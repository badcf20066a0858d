// `1,000` is a thousand to some and one to others: no reader of this guesses. No browser.

import { expect, test } from 'vitest';
import { readValues } from '../../console/pages/make/form.ts';
import { filesOf } from '../../console/pages/workflows/draft.ts';
import { type TypedNumber, typedNumber } from '../../console/parts/typed-number.ts';
import type { Form } from '../../console/state/workflows.ts';

const bounded = (value: number) => value >= 0 && value <= 100;

test.each<[string, TypedNumber, TypedNumber]>([
  ['8', 8, 8],
  [' 8 ', 8, 8],
  ['1000', 1000, 1000],
  ['1e3', 1000, 1000],
  ['4,5', 4.5, 4.5],
  ['4.5', 4.5, 4.5],
  ['0,125', 0.125, 0.125],
  ['0.125', 0.125, 0.125],
  ['.125', 0.125, 0.125],
  ['1.1250', 1.125, 1.125],
  ['1,000', 'grouped', 'grouped'],
  ['1.000', 'grouped', 'grouped'],
  ['-1.000', 'grouped', 'grouped'],
  ['12.500', 'grouped', 'grouped'],
  ['1,000,000', 'grouped', 'grouped'],
  ['1.000.000', 'grouped', 'grouped'],
  ['1,000.5', 'grouped', 'grouped'],
  ['1.000,5', 'grouped', 'grouped'],
  ['1 000', 'grouped', 'grouped'],
  ['1\u00a0000', 'grouped', 'grouped'],
  ['1’000', 'grouped', 'grouped'],
  ['1,125', 'grouped', 1.125],
  ['eight', 'none', 'none'],
  ['', 'none', 'none'],
  ['1,2,3', 'none', 'none'],
  ['0x10', 'none', 'none'],
  ['Infinity', 'none', 'none'],
])('%j is %j in English, %j in German', (typed, english, german) => {
  expect(typedNumber(typed, { decimal: '.', isWhole: false })).toBe(english);
  expect(typedNumber(typed, { decimal: ',', isWhole: false })).toBe(german);
});

test('a fraction that this page wrote is read in every language, where it cannot be thousands', () => {
  expect(typedNumber('1.125', { decimal: '.', isWhole: false })).toBe(1.125);
  expect(typedNumber('1.125', { decimal: ',', isWhole: false, fits: bounded })).toBe(1.125);
  expect(typedNumber('1.125', { decimal: ',', isWhole: false })).toBe('grouped');
});

test.each(['1,000', '1.000', '1,024', '1.024'])('%j is no whole number in any language', (typed) => {
  for (const decimal of ['.', ','] as const)
    expect(typedNumber(typed, { decimal, isWhole: true, fits: bounded })).toBe('grouped');
});

const formOf = (schema: object) =>
  ({ name: 'any', inputs: { properties: { it: schema } } }) as unknown as Form;

test.each(['.', ','] as const)('a form refuses it at its field, for seeds too (%s)', (decimal) => {
  const read = (schema: object, it: string) => readValues(formOf(schema), { it }, new Set(), decimal);
  for (const schema of [
    { type: 'integer', 'x-input': 'integer', minimum: 1, maximum: 50 },
    { type: 'integer', 'x-input': 'seed' },
    { type: 'number', 'x-input': 'number', maximum: 100 },
  ])
    for (const typed of ['1,000', '1.000'])
      expect(read(schema, typed)).toEqual({ inputs: {}, faults: { it: { kind: 'grouped' } } });
});

test.each(['1,000', '1.000'])('a bound %j of a workflow is for the API to refuse, and is no 1', (typed) => {
  const candidate = { name: 'steps', node: '1', class_type: 'KSampler', input: { type: 'integer' } };
  const field = { candidate, isOn: true, name: 'steps', title: 'Steps', minimum: '', maximum: typed };
  const draft = { name: 'any', title: 'Any', fields: [field] };
  for (const decimal of ['.', ','] as const)
    expect(filesOf({ graph: {}, inputs_file: {} } as never, draft as never, decimal)).toMatchObject({
      inputs_file: { inputs: { steps: { maximum: typed } } },
    });
});
