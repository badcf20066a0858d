// ComfyUI's lists in both spellings, and what a host lacks of a graph.

import { describe, expect, it } from 'vitest';
import {
  missingRequirements,
  modelsOf,
  type ObjectInfo,
  optionsOf,
} from '../../functions/core/object-info.ts';
import { GRAPH, shipped } from './templates.ts';

describe("ComfyUI's lists", () => {
  const info: ObjectInfo = {
    Old: { input: { required: { a: [['x', 'y']], n: ['INT', { min: 0 }] }, optional: { b: [['z'], {}] } } },
    New: { input: { required: { a: ['COMBO', { options: ['x', 2] }], empty: ['COMBO', {}] } } },
    LoadImage: { input: { required: { image: [['old.png'], { image_upload: true }] } } },
    Dynamic: {
      input: {
        required: {
          mode: ['COMFY_DYNAMICCOMBO_V3', { options: [{ key: 'crop', inputs: {} }, { key: 'scale' }] }],
        },
      },
    },
    Loader: {
      input: {
        required: { file: [['a.safetensors', 'sub/b.safetensors']] },
        optional: { extra: [['c.pt'], { file_upload: true }] },
      },
    },
    Bare: {},
    ConditioningAverage: {},
  };

  it.each([
    ['Old', 'a', ['x', 'y']],
    ['Old', 'b', ['z']],
    ['New', 'a', ['x', 2]],
    ['Dynamic', 'mode', ['crop', 'scale']],
    ['New', 'empty', undefined],
    ['Old', 'n', undefined],
    ['Old', 'c', undefined],
    ['Bare', 'a', undefined],
    ['Unknown', 'a', undefined],
  ])('%s.%s: %j', (classType, field, options) => {
    expect(optionsOf(info, classType, field)).toEqual(options);
  });

  const has = (class_type: string, inputs: Record<string, unknown>) =>
    missingRequirements({ '1': { class_type, inputs } }, info);

  it('a graph lacks nodes that are unknown and model files that are in no list', () => {
    expect(has('Unknown', { a: 1 })).toEqual([{ node: '1', classType: 'Unknown' }]);
    expect(has('Loader', { file: 'z.safetensors' })).toEqual([
      { node: '1', classType: 'Loader', field: 'file', value: 'z.safetensors' },
    ]);
    expect(has('Loader', { file: 'sub/b.safetensors', extra: 'new.pt' })).toEqual([]);
  });

  it('what a node may say yes to by itself is left to ComfyUI', () => {
    expect(has('Old', { a: 'z', b: 'x.wav [output]', n: 5 })).toEqual([]);
    expect(has('New', { a: { __value__: ['x'] } })).toEqual([]);
    expect(has('ConditioningAverage ', {})).toEqual([]);
    expect(has('Dynamic', { mode: 'none', 'mode.width': 5 })).toEqual([]);
  });

  it('lacks nothing where a value is listed, linked, staged or free', () => {
    expect(has('Old', { a: 'x', n: -7, unheardOf: 'q' })).toEqual([]);
    expect(has('Old', { a: ['2', 0] })).toEqual([]);
    expect(has('New', { a: 2, empty: 'q' })).toEqual([]);
    expect(has('LoadImage', { image: 'new.png' })).toEqual([]);
  });

  it('names the model files of a graph, each once, sorted', () => {
    expect(modelsOf(shipped('flux2_turbo_upscale').graph)).toEqual([
      'Flux2TurboComfyv2.safetensors',
      'flux2-vae.safetensors',
      'flux2_dev_fp8mixed.safetensors',
      'mistral_3_small_flux2_fp8.safetensors',
    ]);
    expect(modelsOf(GRAPH)).toEqual([]);
  });
});
