// What a caller may send: each rule of docs/api.md on POST /api/generate, and the sentence that says so.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../functions/core/errors.ts';
import { parseInputs } from '../../functions/core/inputs.ts';
import { parse, refusal, refused, SEED, shipped, small, valueOf } from './templates.ts';

it('everything that is left out has its default, and the seed is drawn', () => {
  const defaults = {
    prompt: 'a fox',
    negative_prompt: '',
    steps: 25,
    cfg: 3.5,
    true_cfg: 1,
    width: 1024,
    height: 1024,
    lora_strength: 1,
    seed: SEED,
    sampler: 'euler_ancestral',
    scheduler: 'karras',
    batch_size: 1,
  };
  expect(parse({ prompt: 'a fox' })).toEqual({ values: defaults, notes: [] });
  const nothing = Object.fromEntries(Object.keys(defaults).map((field) => [field, null]));
  expect(parse({ ...nothing, prompt: 'a fox' })).toEqual({ values: defaults, notes: [] });
});

describe('the prompt', () => {
  it.each([{}, { prompt: null }, { prompt: '' }, { prompt: ' \n\t ' }, { prompt: undefined }])(
    'is missing in %j',
    (body) => {
      expect(refusal(() => parse(body))).toMatchObject({
        code: 'missing_field',
        message: 'Missing required field: prompt',
        details: { field: 'prompt' },
      });
    },
  );

  it.each<unknown>([5, true, {}, [], ['a fox'], { toString: 'x' }])('is no string: %j', (value) => {
    expect(refused('prompt', value)).toBe('Invalid field: prompt must be a string');
  });
});

describe('fields that the workflow does not declare', () => {
  it.each([
    'steps_',
    'Steps',
    'image',
    'scale',
    '',
    'toString',
    '__proto__',
    'constructor',
    'hasOwnProperty',
  ])('%j is refused by name, even when null', (field) => {
    for (const value of ['1', 'null', '{}']) {
      const body = JSON.parse(`{"prompt":"a fox",${JSON.stringify(field)}:${value}}`) as Record<
        string,
        unknown
      >;
      const error = refusal(() => parse(body));
      expect(error).toMatchObject({ code: 'unknown_field', details: { field } });
      expect(error.message).toContain(field);
      expect(error.message).toContain('flux2_turbo_default takes prompt, negative_prompt, steps');
    }
  });

  it('a very long name is shown in part', () => {
    const error = refusal(() => parse({ prompt: 'a fox', ['🦊'.repeat(5000)]: 1 }));
    expect(error.details).toEqual({ field: '🦊'.repeat(60) });
    expect(error.message.length).toBeLessThan(500);
  });
});

describe('texts', () => {
  it.each(['a', '🦊', '語', '\u{10FFFF}', '\n'])(
    'of 10,000 code points fit, one more does not: %j',
    (character) => {
      const most = `x${character.repeat(9999)}`;
      expect(valueOf('negative_prompt', most)).toBe(most);
      expect(refused('negative_prompt', `${most}y`)).toMatch(/negative_prompt .*10000.*10001$/);
    },
  );

  it.each(['\t', '\n', '\r', '\r\n', '\u2028', '\u200d', '\u202e', '"\\', '%s {} ${x}', '<b>', ' padded '])(
    '%j is kept as it is',
    (part) => {
      expect(valueOf('prompt', `a${part}b`)).toBe(`a${part}b`);
    },
  );

  it.each(['\0', '\u0001', '\b', '\u001b', '\u007f', '\u0085', '\u009f'])(
    'the control character %j is refused',
    (part) => {
      expect(refused('prompt', `a${part}b`)).toContain('control characters');
    },
  );

  it.each(['\ud83e', 'a\udd8a', '\udd8a\ud83e', '🦊\ud83e'])('half a pair is refused: %j', (text) => {
    expect(refused('prompt', text)).toContain('half of a surrogate pair');
  });
});

describe('choices', () => {
  it.each(['sampler', 'scheduler'])('%s must be one that ComfyUI has', (field) => {
    expect(refused(field, 'constructor')).toMatch(/must be one of \w+, /);
    expect(refused(field, 5)).toContain('must be a string');
    expect(refused(field, ['euler'])).toContain('must be a string');
    expect(refused(field, 'Euler')).toContain(field === 'sampler' ? 'euler, ' : 'karras');
  });

  it('any is taken while nothing is known of the nodes', () => {
    const template = small({ sampler: { type: 'choice', required: true, to: '2.sampler_name' } });
    const { values } = parseInputs(template, { sampler: 'brand_new' }, undefined, {}, () => SEED);
    expect(values).toEqual({ sampler: 'brand_new' });
  });
});

it.each([
  [true, true],
  ['true', true],
  [false, false],
  ['false', false],
])('a flag may be %j', (sent, value) => {
  const template = small({ flag: { type: 'boolean', default: true, to: '2.flag' } });
  expect(parse({ flag: sent }, undefined, template).values).toEqual({ flag: value });
});

it.each([1, 0, 'yes', 'True', '', [], {}])('a flag may not be %j', (sent) => {
  const template = small({ flag: { type: 'boolean', default: true, to: '2.flag' } });
  expect(refusal(() => parse({ flag: sent }, undefined, template)).message).toContain(
    'must be true or false',
  );
});

it('any well-formed body is answered, with values or with a sentence that names a field', () => {
  const names = Object.keys(shipped('flux2_turbo_default').inputs);
  const fields = fc.constantFrom(...names, 'steps_', '__proto__');
  const answer = (body: Record<string, unknown>): unknown[] => {
    try {
      return Object.values(parse(body).values).map((value) => typeof value);
    } catch (error) {
      return error instanceof AppError ? [typeof error.details?.field] : [error];
    }
  };
  const property = fc.property(
    fc.dictionary(fields, fc.jsonValue()),
    fc.string({ unit: 'binary' }),
    (body, prompt) => {
      for (const type of answer({ prompt, ...body })) expect(['string', 'number', 'boolean']).toContain(type);
    },
  );
  fc.assert(property, { seed: 3, numRuns: 2000 });
});
