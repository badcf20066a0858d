// Templates and values from public reports. Source: docs/reports.md.

import { describe, expect, it } from 'vitest';
import { choicesOf, parseInputs } from '../../functions/core/inputs.ts';
import { describeTemplate } from '../../functions/core/describe.ts';
import type { ObjectInfo } from '../../functions/core/object-info.ts';
import { parseTemplate } from '../../functions/core/template.ts';

const graph = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 255 } },
  '2': { class_type: 'Blend', inputs: { image: ['1', 0], factor: 0.5, bits: 8, noise: 1 } },
  '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'Out' } },
};
const info: ObjectInfo = {
  Blend: { input: { required: { bits: [[8, 16, 32]], on: [[true, false]] } } },
};
const template = (inputs: Record<string, unknown>) =>
  parseTemplate('case', graph, { title: 'A case', inputs });
const values = (inputs: Record<string, unknown>, body: Record<string, unknown>, drawn = 0) =>
  parseInputs(template(inputs), body, undefined, info, () => drawn).values;

describe('a multiple of what no number of 53 bits is', () => {
  const factor = { type: 'number', default: 0.5, minimum: 0, maximum: 1, multiple_of: 0.05, to: '2.factor' };

  it.each(Array.from({ length: 21 }, (_, step) => Number((step * 0.05).toFixed(2))))('%d fits', (value) => {
    expect(values({ factor }, { factor: value })).toEqual({ factor: value });
  });

  it.each([0.01, 0.051, 0.0499999, 0.99])('%d does not', (value) => {
    expect(() => values({ factor }, { factor: value })).toThrow('a multiple of 0.05');
  });
});

describe('a choice from a list of numbers', () => {
  const bits = { type: 'choice', default: '8', to: '2.bits' };

  it.each([
    [16, 16],
    ['16', 16],
    ['32', 32],
  ])('%j is %j for ComfyUI', (given, value) => {
    expect(values({ bits }, { bits: given })).toEqual({ bits: value });
    expect(() => values({ bits }, { bits: 12 })).toThrow('must be one of 8, 16, 32');
  });

  it('is described as what it holds', () => {
    const described = describeTemplate(template({ bits }), (spec) =>
      choicesOf(template({ bits }), spec, info),
    );
    expect(described.inputs.properties['bits']).toMatchObject({ type: 'number', enum: [8, 16, 32] });
  });
});

it('a seed is drawn within its own bounds', () => {
  const noise = { type: 'seed', maximum: 1000, to: '2.noise' };
  for (const drawn of [0, 1000, 1001, 2 ** 53 - 1])
    expect(values({ noise }, {}, drawn)['noise']).toBeLessThanOrEqual(1000);
  expect(values({ noise }, { noise: 1000 })).toEqual({ noise: 1000 });
  expect(() => values({ noise }, { noise: 1001 })).toThrow('from 0 to 1000');
});

describe('a graph is checked as a compiler would', () => {
  const refused = (nodes: Record<string, unknown>) => () =>
    parseTemplate('case', nodes, { title: 'A case', inputs: {} });

  it('a link to a node that is not there', () => {
    expect(refused({ ...graph, '3': { class_type: 'SaveImage', inputs: { images: ['9', 0] } } })).toThrow(
      /^workflows\/case\.json: node "3" \(SaveImage\): "images" .*"9"/,
    );
  });

  it('a link to an output that cannot be', () => {
    expect(refused({ ...graph, '3': { class_type: 'SaveImage', inputs: { images: ['2', -1] } } })).toThrow(
      'links to output -1 of node "2"',
    );
  });

  it('nodes that wait for each other', () => {
    const round = {
      '1': { class_type: 'Invert', inputs: { image: ['2', 0] } },
      '2': { class_type: 'Invert', inputs: { image: ['1', 0] } },
    };
    expect(refused(round)).toThrow('its nodes wait for each other: 1 → 2 → 1');
  });
});
