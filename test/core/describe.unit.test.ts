// A template as a caller sees it: JSON Schema that says what parseInputs will hold them to.

import { describe, expect, it } from 'vitest';
import { describeTemplate } from '../../functions/core/describe.ts';
import { parseJson, stringifyJson } from '../../functions/core/json.ts';
import { choicesOf } from '../../functions/core/inputs.ts';
import { INFO, SHIPPED, shipped } from './templates.ts';

describe('a template, described', () => {
  const description = describeTemplate(shipped('flux2_turbo_controlnet'), (spec) =>
    choicesOf(shipped('flux2_turbo_controlnet'), spec, INFO),
  );

  it('says its name, presets and what is required', () => {
    expect(description).toMatchObject({
      name: 'flux2_turbo_controlnet',
      title: 'FLUX.2 Turbo, following an image',
      presets: { turbo: { steps: 8 } },
      inputs: { type: 'object', additionalProperties: false, required: ['prompt', 'image'] },
    });
  });

  it('says types, bounds and defaults as JSON Schema', () => {
    const { properties } = description.inputs;
    expect(properties['prompt']).toMatchObject({
      type: 'string',
      minLength: 1,
      maxLength: 10_000,
      'x-input': 'string',
    });
    expect(properties['negative_prompt']).not.toHaveProperty('minLength');
    expect(properties['width']).toMatchObject({
      type: 'integer',
      default: 1024,
      minimum: 256,
      maximum: 2048,
      multipleOf: 16,
    });
    expect(properties['seed']).toMatchObject({
      type: 'integer',
      minimum: 0,
      maximum: 2n ** 64n - 1n,
      'x-input': 'seed',
    });
    expect(properties['sampler']?.['enum']).toContain('euler_ancestral');
    expect(properties['image']).toMatchObject({ type: 'string', 'x-input': 'image' });
  });

  it.each(SHIPPED)('%s: nothing undefined, nothing that JSON loses', (name) => {
    const described = describeTemplate(shipped(name), () => undefined);
    expect(parseJson(stringifyJson(described))).toStrictEqual(described);
    expect(described.inputs.properties['sampler']).not.toHaveProperty('enum');
  });
});
