// The preflight of single nodes: inputs that are there for other inputs, and what ComfyUI's own nodes check themselves.
// The words are those of a real 0.33.

import { describe, expect, test } from 'vitest';
import type { ObjectInfo } from '../../functions/core/object-info.ts';
import { preflight } from '../../functions/core/preflight/preflight.ts';

/** The reasons of one output node with these inputs. */
function reasonsOf(classType: string, node: ObjectInfo[string], inputs: Record<string, unknown>) {
  const nodes = { [classType]: { ...node, output_node: true } };
  const hasFile = (_: string, path: string) => path === 'there.png';
  const graph = { '1': { class_type: classType, inputs } };
  const { node_errors: errors } = preflight(graph, [{ hostId: 'one', nodes }], { hasFile });
  return (errors['1']?.errors ?? []).map(({ type, details, extra_info: extra }) => ({
    type,
    details,
    input: extra['input_name'],
  }));
}

describe('inputs that are there for others', () => {
  const template = { input: { required: { image: ['IMAGE', {}] } }, prefix: 'image', min: 2, max: 4 };
  const grown = { input: { required: { images: ['COMFY_AUTOGROW_V3', { template }] } } };
  const missing = (input: string, details: string) => ({ type: 'required_input_missing', details, input });

  test('an autogrow needs its first ones, named without what is before the dot', () => {
    expect(reasonsOf('Grown', grown, { 'images.image0': 1, 'images.image3': 1 })).toEqual([
      missing('images.image1', 'image1'),
    ]);
    expect(reasonsOf('Grown', grown, { 'images.image0': 1, 'images.image1': 1 })).toEqual([]);
  });

  test('a chosen key needs what it brings along; another key, or none, nothing', () => {
    const inputs = { required: { factor: ['FLOAT', { min: 1 }] } };
    const keyed = {
      input: { required: { mode: ['COMFY_DYNAMICCOMBO_V3', { options: [{ key: 'a', inputs }] }] } },
    };
    expect(reasonsOf('Keyed', keyed, { mode: 'a' })).toEqual([missing('mode.factor', 'factor')]);
    expect(reasonsOf('Keyed', keyed, { mode: 'a', 'mode.factor': 0 })).toMatchObject([
      { type: 'value_smaller_than_min', input: 'mode.factor' },
    ]);
    for (const others of [{ mode: 'b' }, { mode: null, 'mode.factor': 0 }, {}])
      expect(reasonsOf('Keyed', keyed, others)).toEqual([]);
  });

  test('a plain input is named as it is, dots and all', () => {
    expect(reasonsOf('Plain', { input: { required: { 'a.b': ['INT', {}] } } }, {})).toEqual([
      missing('a.b', 'a.b'),
    ]);
  });
});

describe('what ComfyUI’s own nodes check', () => {
  test.each([
    ['LoadImage', 'image', 'image'],
    ['LoadImageMask', 'image', 'image'],
    ['LoadImageOutput', 'image', 'image'],
    ['WebcamCapture', 'image', 'image'],
    ['LoadLatent', 'latent', 'latent'],
    ['LoadVideo', 'file', 'video'],
    ['LoadAudio', 'audio', 'audio'],
    ['Load3D', 'model_file', '3D model'],
    ['Load3DAdvanced', 'model_file', '3D model'],
  ])('%s takes a file that its list does not have, if it is there', (classType, input, what) => {
    const node = { input: { required: { [input]: [['listed.png'], {}] } } };
    expect(reasonsOf(classType, node, { [input]: 'there.png' })).toEqual([]);
    expect(reasonsOf(classType, node, { [input]: 'gone.png' })).toEqual([
      { type: 'custom_validation_failed', details: `${input} - Invalid ${what} file: gone.png`, input },
    ]);
    expect(reasonsOf(classType, node, { [input]: 5 })).toMatchObject([
      { type: 'exception_during_validation', details: "'int' object has no attribute 'endswith'" },
    ]);
    expect(reasonsOf(classType, node, {})).toMatchObject([{ type: 'exception_during_validation' }]);
  });

  test('a soft switch needs one of its two', () => {
    const node = {
      input: { required: { switch: ['BOOLEAN', {}] }, optional: { on_false: ['*', {}], on_true: ['*', {}] } },
    };
    expect(reasonsOf('ComfySoftSwitchNode', node, { switch: true, on_true: 1 })).toEqual([]);
    expect(reasonsOf('ComfySoftSwitchNode', node, { switch: true })).toMatchObject([
      { type: 'custom_validation_failed', input: 'switch' },
    ]);
  });

  test('a custom node may take what its list and its range do not have, but no model that is not there', () => {
    const node = {
      python_module: 'custom_nodes.own',
      input: { required: { word: [['a'], {}], size: ['INT', { max: 8 }], model: [['a.safetensors'], {}] } },
    };
    const given = { word: 'b', size: 9, model: 'a.safetensors' };
    expect(reasonsOf('Own', node, given)).toEqual([]);
    expect(reasonsOf('Own', node, { ...given, model: 'b.safetensors' })).toMatchObject([
      { type: 'value_not_in_list', input: 'model' },
    ]);
    expect(reasonsOf('Own', { ...node, python_module: 'nodes' }, given)).toHaveLength(2);
  });
});
