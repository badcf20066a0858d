// Inputs of ComfyUI 0.33's nodes that a template drives: dynamic combos, and what stands in them. Source: docs/reports.md.

import { describe, expect, it, test } from 'vitest';
import recorded from './recorded/checked-graphs-0.33.json' with { type: 'json' };
import { describeTemplate } from '../../functions/core/describe.ts';
import { choicesOf, parseInputs } from '../../functions/core/inputs.ts';
import type { ObjectInfo } from '../../functions/core/object-info.ts';
import { parseTemplate } from '../../functions/core/template.ts';

const info = recorded.object_info as unknown as ObjectInfo;
const graph = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  '2': {
    class_type: 'ResizeImageMaskNode',
    inputs: {
      input: ['1', 0],
      resize_type: 'scale dimensions',
      'resize_type.width': 32,
      'resize_type.height': 32,
      'resize_type.crop': 'center',
      scale_method: 'area',
    },
  },
  '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'Out' } },
};
const template = (inputs: Record<string, unknown>) =>
  parseTemplate('case', graph, { title: 'A case', inputs });
const values = (inputs: Record<string, unknown>, body: Record<string, unknown>) =>
  parseInputs(template(inputs), body, undefined, info, () => 0).values;
const schemaOf = (inputs: Record<string, unknown>, name: string) =>
  describeTemplate(template(inputs), (spec) => choicesOf(template(inputs), spec, info)).inputs.properties[
    name
  ];

describe('the key of a dynamic combo', () => {
  const how = { type: 'choice', default: 'scale dimensions', to: '2.resize_type' };

  it('is one for which the graph has the inputs', () => {
    expect(schemaOf({ how }, 'how')).toMatchObject({
      enum: ['scale dimensions', 'scale width', 'scale height'],
    });
    expect(values({ how }, { how: 'scale width' })).toEqual({ how: 'scale width' });
  });

  it.each(['scale by magic', 'scale by multiplier', ''])('%j is refused', (key) => {
    expect(() => values({ how }, { how: key })).toThrow(
      /how must .*scale dimensions, scale width, scale height$/,
    );
  });

  it('is held against the keys too where the template calls it a text', () => {
    const text = { ...how, type: 'string' };
    expect(values({ how: text }, { how: 'scale height' })).toEqual({ how: 'scale height' });
    expect(() => values({ how: text }, { how: 'scale by magic' })).toThrow('how must be one of');
    expect(schemaOf({ how: text }, 'how')).toMatchObject({
      enum: ['scale dimensions', 'scale width', 'scale height'],
    });
  });
});

test('a choice within a dynamic combo has its list', () => {
  const crop = { type: 'choice', default: 'center', to: '2.resize_type.crop' };
  expect(schemaOf({ crop }, 'crop')).toMatchObject({ enum: ['disabled', 'center'] });
  expect(() => values({ crop }, { crop: 'left' })).toThrow('crop must be one of disabled, center');
});

test('a list in the new spelling is a list', () => {
  const scale_method = { type: 'choice', default: 'area', to: '2.scale_method' };
  expect(() => values({ scale_method }, { scale_method: 'magic' })).toThrow('must be one of nearest-exact, ');
});
