// Lists of a node class with other values in them, in either spelling.

import { expect, test } from 'vitest';
import { withLists, withOptionsOf } from '../../functions/core/option-lists.ts';

const keys = ['COMFY_DYNAMICCOMBO_V3', { options: [{ key: 'a', inputs: {} }] }];
const node = (values: unknown[]) => ({
  input: {
    required: { old: [values, { tooltip: 'x' }], bare: [values], keys, size: ['INT', { min: 0 }] },
    optional: { newer: ['COMBO', { options: values, multiselect: false }] },
    hidden: { prompt: 'PROMPT' },
  },
  output: ['IMAGE'],
});

test('each list has what either class has; all else is as the first declares it', () => {
  expect(withOptionsOf(node(['a', 'b']), node(['b', 'c']))).toEqual(node(['a', 'b', 'c']));
});

test('a class with the same values, and one without inputs, stay as they are', () => {
  const same = node(['a']);
  expect(withOptionsOf(same, node(['a']))).toBe(same);
  expect(withOptionsOf({}, same)).toEqual({});
  expect(withOptionsOf(same, {})).toBe(same);
});

test('a change sees what is declared beside the list', () => {
  const seen: unknown[] = [];
  withLists(node(['a']), (list, field, extra) => {
    seen.push([field, extra['tooltip'], list]);
    return list;
  });
  expect(seen).toEqual([
    ['old', 'x', ['a']],
    ['bare', undefined, ['a']],
    ['newer', undefined, ['a']],
  ]);
});
