// A template as a caller sees it: JSON Schema that says what parseInputs will hold them to.

import { describe, expect, it } from 'vitest';
import { describeTemplate } from '../../functions/core/describe.ts';
import { parseJson, stringifyJson } from '../../functions/core/json.ts';
import { choicesOf } from '../../functions/core/inputs.ts';
import type { Graph } from '../../functions/core/object-info.ts';
import { parseTemplate } from '../../functions/core/template.ts';
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

  const LOAD = { class_type: 'LoadImage', inputs: { image: 'a.png' } };
  it.each<[string, Graph, boolean]>([
    ['its mask goes on', { '1': LOAD, '2': { class_type: 'InvertMask', inputs: { mask: ['1', 1] } } }, true],
    [
      'its colours go on',
      { '1': LOAD, '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } } },
      false,
    ],
    [
      'the second output of another goes on',
      { '1': LOAD, '2': LOAD, '3': { class_type: 'InvertMask', inputs: { mask: ['2', 1] } } },
      false,
    ],
    [
      'it is read as a mask',
      { '1': { class_type: 'LoadImageMask', inputs: { image: 'a.png', channel: 'alpha' } } },
      true,
    ],
  ])('marks an image whose transparent part is used as a mask: %s', (_, graph, isUsed) => {
    const inputs = { title: 'Any', inputs: { image: { type: 'image', required: true, to: '1.image' } } };
    const { properties } = describeTemplate(parseTemplate('any', graph, inputs), () => undefined).inputs;
    expect(properties['image']?.['x-mask']).toBe(isUsed ? true : undefined);
  });

  it.each(SHIPPED)('%s: nothing undefined, nothing that JSON loses', (name) => {
    const described = describeTemplate(shipped(name), () => undefined);
    expect(parseJson(stringifyJson(described))).toStrictEqual(described);
    expect(described.inputs.properties['sampler']).not.toHaveProperty('enum');
  });
});
