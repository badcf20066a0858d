// Labels: what is taken, what is refused, and by which name.

import { describe, expect, test } from 'vitest';
import { hasLabels, parseLabels } from '../../functions/core/labels.ts';
import { AppError } from '../../functions/core/errors.ts';

const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));

test('sixteen pairs at the edges of names and values are taken, in the order of their names', () => {
  const given = { 'z.Z-9_': '', ...pairs(14), ['a'.repeat(40)]: 'é'.repeat(128) };
  const labels = parseLabels(given)!;
  expect(labels).toEqual(given);
  expect(Object.keys(labels)).toEqual(Object.keys(given).sort());
});

test.each([undefined, null, {}])('%j is none', (given) => {
  expect(parseLabels(given)).toBeUndefined();
});

describe('is refused, and the field says which pair', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'project', 'metadata'],
    ['a list', ['project'], 'metadata'],
    ['seventeen pairs', pairs(17), 'metadata'],
    ['an empty name', { '': 'x' }, 'metadata.'],
    ['a name of 41 characters', { ['a'.repeat(41)]: 'x' }, `metadata.${'a'.repeat(41)}`],
    ['a name with a blank', { 'a b': 'x' }, 'metadata.a b'],
    ['a name that is a prototype', JSON.parse('{"__proto__": "x"}'), 'metadata.__proto__'],
    ['a number', { n: 1 }, 'metadata.n'],
    ['a nested object', { n: {} }, 'metadata.n'],
    ['257 bytes', { n: `${'é'.repeat(128)}x` }, 'metadata.n'],
  ])('%s', (_, given, field) => {
    let error: unknown;
    try {
      parseLabels(given);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'invalid_field', details: { field } });
  });
});

test('a job has labels when it has every one that is asked for', () => {
  const labels = { project: 'spring', client: 'acme' };
  expect(hasLabels(labels, { project: 'spring' })).toBe(true);
  expect(hasLabels(labels, { project: 'spring', client: 'other' })).toBe(false);
  expect(hasLabels(labels, {})).toBe(true);
  expect(hasLabels(undefined, { project: 'spring' })).toBe(false);
  expect(hasLabels(labels, { toString: 'x' })).toBe(false);
});
