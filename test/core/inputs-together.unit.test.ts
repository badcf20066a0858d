// What inputs do to each other: presets, defaults that another input sets, bounds that another input gives.

import { describe, expect, it } from 'vitest';
import { parse, shipped, small } from './templates.ts';

const NOTE = /A negative prompt needs true_cfg above 1, so it is 2/;

describe('presets', () => {
  it.each([
    ['rtx-4090', { steps: 25, cfg: 4, width: 1024, height: 1024 }],
    ['rtx-4080', { steps: 20, cfg: 3.5, width: 768, height: 768 }],
    ['rtx-3060', { steps: 20, cfg: 3.5, width: 512, height: 512 }],
    ['turbo', { steps: 8, cfg: 3.5, width: 1024, height: 1024 }],
  ])('%s sets what it names', (preset, values) => {
    expect(parse({ prompt: 'a fox' }, preset).values).toMatchObject(values);
  });

  it('a field given beside it wins; null is none', () => {
    const { values } = parse({ prompt: 'a fox', steps: '12', width: null }, 'rtx-4080');
    expect(values).toMatchObject({ steps: 12, width: 768, height: 768 });
  });

  it.each(['rtx-9000', '', 'constructor', '__proto__'])('%j is none', (preset) => {
    expect(() => parse({ prompt: 'a fox' }, preset)).toThrow(
      /preset must .*rtx-4090, rtx-4080, rtx-3060, turbo, low, medium, high$/,
    );
  });

  it('says so where a workflow has none', () => {
    const template = small({ steps: { type: 'integer', default: 8, to: '2.steps' } });
    expect(() => parse({}, 'turbo', template)).toThrow('none: there are none');
  });
});

describe('a negative prompt', () => {
  it('sets true_cfg to 2 and says that this takes twice the time', () => {
    const { values, notes } = parse({ prompt: 'a fox', negative_prompt: 'blurry' });
    expect(values).toMatchObject({ negative_prompt: 'blurry', true_cfg: 2, cfg: 3.5 });
    expect(notes).toEqual([expect.stringMatching(NOTE)]);
  });

  it.each([1.5, '4', 1])('leaves a true_cfg of %j as it was given, without a note', (given) => {
    const { values, notes } = parse({ prompt: 'a fox', negative_prompt: 'blurry', true_cfg: given });
    expect(values['true_cfg']).toBe(Number(given));
    expect(notes).toEqual([]);
  });

  it('counts a true_cfg of null as not given', () => {
    const { values, notes } = parse({ prompt: 'a fox', negative_prompt: 'blurry', true_cfg: null });
    expect(values['true_cfg']).toBe(2);
    expect(notes).toHaveLength(1);
  });

  it.each(['', null, undefined])('of %j does nothing', (negative) => {
    const { values, notes } = parse({ prompt: 'a fox', negative_prompt: negative });
    expect(values).toMatchObject({ negative_prompt: '', true_cfg: 1 });
    expect(notes).toEqual([]);
  });

  it('keeps its note beside a preset', () => {
    const { values, notes } = parse({ prompt: 'a fox', negative_prompt: 'blurry' }, 'turbo');
    expect(values).toMatchObject({ true_cfg: 2, steps: 8 });
    expect(notes).toHaveLength(1);
  });
});

describe('a bound that another input gives', () => {
  const controlnet = shipped('flux2_turbo_controlnet');
  const thresholds = (more: Record<string, unknown>) => {
    const { values } = parse({ prompt: 'a fox', image: 'x.png', ...more }, undefined, controlnet);
    return [values['low_threshold'], values['high_threshold']];
  };

  it('holds for the values in force: sent or default', () => {
    expect(thresholds({})).toEqual([0.4, 0.8]);
    expect(thresholds({ low_threshold: 0.8 })).toEqual([0.8, 0.8]);
    expect(thresholds({ low_threshold: '0.2', high_threshold: '0.3' })).toEqual([0.2, 0.3]);
  });

  it.each([{ low_threshold: 0.81 }, { high_threshold: 0.3 }, { low_threshold: 0.9, high_threshold: 0.1 }])(
    'is broken by %j',
    (more) => {
      const high = more.high_threshold ?? 0.8;
      expect(() => thresholds(more)).toThrow(
        expect.objectContaining({
          code: 'invalid_field',
          message: `Invalid field: low_threshold must be at most high_threshold (${high})`,
          details: { field: 'low_threshold' },
        }),
      );
    },
  );

  it('is not broken by what is out of its own bounds: that is said first', () => {
    expect(() => thresholds({ high_threshold: 0 })).toThrow(
      'high_threshold must be a number from 0.01 to 0.99',
    );
  });
});

it('an image is required where the workflow follows one', () => {
  expect(() => parse({ prompt: 'a fox' }, undefined, shipped('flux2_turbo_controlnet'))).toThrow(
    'Missing required field: image',
  );
});
