// What is read of a form, and what its catalogues say. No browser.

import { describe, expect, test } from 'vitest';
import { eventOf } from '../../console/api/events.ts';
import {
  inputsAfter,
  presetOf,
  readTimes,
  readValues,
  splitFields,
  type Values,
  valuesOf,
} from '../../console/pages/make/form.ts';
import type { Form, InputSchema } from '../../console/state/workflows.ts';
import { de } from '../../console/text/de.ts';
import { en } from '../../console/text/en.ts';

const formWith = (properties: Record<string, InputSchema>, required: string[] = []) =>
  ({ name: 'any', inputs: { properties, required } }) as unknown as Form;

const PROMPT: InputSchema = { type: 'string', 'x-input': 'string' };
const STEPS: InputSchema = { type: 'integer', 'x-input': 'integer', default: 25, minimum: 1, maximum: 50 };
const WIDTH: InputSchema = {
  type: 'integer',
  'x-input': 'integer',
  minimum: 16,
  maximum: 64,
  multipleOf: 16,
};
const CFG: InputSchema = { type: 'number', 'x-input': 'number', default: 3.5, minimum: 0 };
const SEED: InputSchema = { type: 'integer', 'x-input': 'seed', minimum: 0, maximum: 2 ** 64 };
const SCALES: InputSchema = { type: ['string', 'number'], 'x-input': 'choice', enum: ['fit', 2] };

const read = (schema: InputSchema, value: Values[string], seeds: string[] = []) =>
  readValues(formWith({ it: schema }), { it: value }, new Set(seeds), '.');

describe('what is sent of a form', () => {
  test.each<[InputSchema, string | boolean, unknown]>([
    [STEPS, '8', 8],
    [STEPS, ' 8 ', 8],
    [CFG, '4,5', 4.5],
    [CFG, '.5', 0.5],
    [CFG, '1e1', 10],
    [PROMPT, ' as typed ', ' as typed '],
    [SEED, '18446744073709551615', '18446744073709551615'],
    [SEED, '0', '0'],
    [{ type: 'boolean', 'x-input': 'boolean' }, true, true],
    [SCALES, 'fit', 'fit'],
    [SCALES, '2', 2],
    [SCALES, 'gone since', 'gone since'],
  ])('%j of %j', (schema, typed, sent) => {
    expect(read(schema, typed)).toEqual({ inputs: { it: sent }, faults: {} });
  });

  test.each<[InputSchema, string, string]>([
    [STEPS, '8.5', 'whole'],
    [STEPS, 'eight', 'number'],
    [STEPS, '0x10', 'number'],
    [STEPS, '51', 'range'],
    [STEPS, '0', 'range'],
    [STEPS, 'Infinity', 'number'],
    [WIDTH, '40', 'multiple'],
    [CFG, '-1', 'range'],
    [SEED, '18446744073709551616', 'range'],
    [SEED, '-1', 'whole'],
    [SEED, '1.0', 'whole'],
  ])('%j refuses %j: %s', (schema, typed, kind) => {
    expect(read(schema, typed)).toMatchObject({ inputs: {}, faults: { it: { kind } } });
  });

  test('what is as the workflow has it is not sent, and what is needed is asked for', () => {
    const form = formWith({ prompt: PROMPT, steps: STEPS, seed: SEED }, ['prompt']);
    expect(readValues(form, { steps: '25', seed: '7' }, new Set(['seed']), '.')).toEqual({
      inputs: {},
      faults: { prompt: { kind: 'required' } },
    });
    expect(readValues(form, { prompt: 'a', seed: '7' }, new Set(), '.')).toEqual({
      inputs: { prompt: 'a', seed: '7' },
      faults: {},
    });
  });

  test('a value of an input that the workflow has no more is not sent', () => {
    expect(readValues(formWith({ prompt: PROMPT }), { gone: '1' }, new Set(), '.').inputs).toEqual({});
  });

  test('a job makes the same form again', () => {
    const inputs = { prompt: 'a', steps: 8, tiled: false };
    const form = formWith({ prompt: PROMPT, steps: STEPS, tiled: { type: 'boolean', 'x-input': 'boolean' } });
    expect(readValues(form, valuesOf(inputs), new Set(), '.').inputs).toEqual(inputs);
  });
});

test.each<[string, unknown]>([
  ['1', 1],
  [' 16 ', 16],
  ['', { kind: 'number' }],
  ['many', { kind: 'number' }],
  ['1,000', { kind: 'grouped' }],
  ['2.5', { kind: 'whole' }],
  ['0', { kind: 'range', minimum: 1, maximum: 16 }],
  ['99', { kind: 'range', minimum: 1, maximum: 16 }],
])('%j jobs at once are %j', (typed, expected) => {
  expect(readTimes(typed, '.')).toEqual(expected);
});

test.each<[string, number, string]>([
  ['7', 1, '8'],
  ['9007199254740993', 2, '9007199254740995'],
  ['18446744073709551614', 1, '18446744073709551615'],
  ['18446744073709551615', 1, '0'],
  ['18446744073709551615', 15, '14'],
])('a kept seed counts up: %s and %i more are %s', (seed, count, expected) => {
  const form = formWith({ prompt: PROMPT, seed: SEED });
  expect(inputsAfter(form, { prompt: 'a', seed }, count)).toEqual({ prompt: 'a', seed: expected });
});

test('a kept seed wraps at the input’s own bounds, and one that is drawn stays away', () => {
  const form = formWith({ seed: { ...SEED, minimum: 10, maximum: 12 } });
  expect(inputsAfter(form, { seed: '12' }, 1)).toEqual({ seed: '10' });
  expect(inputsAfter(form, { prompt: 'a' }, 3)).toEqual({ prompt: 'a' });
});

test('a preset is shown as long as the form has its values, of several the fullest', () => {
  const presets = { fast: { steps: 8 }, small: { steps: 8, cfg: 1 }, usual: { cfg: 9 } };
  const form = { ...formWith({ steps: STEPS, cfg: CFG }), presets } as unknown as Form;
  expect(presetOf(form, {})).toBeUndefined();
  expect(presetOf(form, { steps: '8' })).toBe('fast');
  expect(presetOf(form, { steps: '8', cfg: '1' })).toBe('small');
  expect(presetOf(form, { steps: '9', cfg: '1' })).toBeUndefined();
});

test('of many inputs the first are those that most people set', () => {
  const names = ['prompt', 'steps', 'cfg', 'width', 'sampler', 'denoise', 'image'];
  const form = formWith(
    Object.fromEntries(
      names.map((name) => [name, name === 'image' ? { ...PROMPT, 'x-input': 'image' } : PROMPT]),
    ),
  );
  expect(splitFields(form)).toEqual({
    first: ['prompt', 'width', 'image'],
    more: ['steps', 'cfg', 'sampler', 'denoise'],
  });
});

test.each<[string, unknown]>([
  ['event: status\nid: 7\ndata: {"a":1}', { event: 'status', id: '7', data: '{"a":1}' }],
  ['data: one\ndata: two', { event: 'message', id: undefined, data: 'one\ntwo' }],
  [': alive', undefined],
])('an event: %j', (block, expected) => {
  expect(eventOf(block)).toEqual(expected);
});

/** Every sentence, those with something to fill in too. */
function sentences(catalogue: object, path = ''): [string, string][] {
  return Object.entries(catalogue).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'string') return [[`${path}${name}`, value] as [string, string]];
    if (typeof value === 'function')
      return [[`${path}${name}`, (value as (...filled: number[]) => string)(1, 2)] as [string, string]];
    return sentences(value as object, `${path}${name}.`);
  });
}

test('German has what English has, and says it in German', () => {
  const [english, german] = [sentences(en), sentences(de)];
  expect(german.map(([name]) => name)).toEqual(english.map(([name]) => name));
  expect(german.filter(([, text]) => text.trim() === '')).toEqual([]);
  const same = german.filter(([name, text]) => english.find(([one]) => one === name)![1] === text);
  expect(same.length).toBeLessThan(german.length / 5);
});
