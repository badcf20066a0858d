// From inputs to the graph that ComfyUI gets: what is set, what is stamped, and that nothing else changes.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOf, outputFolder } from '../../functions/core/names.ts';
import type { Graph } from '../../functions/core/object-info.ts';
import { namedFiles, publishedPrefixOf, render, stamp, unstamp } from '../../functions/core/render.ts';
import { packGraph, unpackGraph } from '../../functions/core/request.ts';
import { files, GRAPH, parse, SHIPPED, shipped, small } from './templates.ts';

const JOB = '0123abcd-0123-8123-8123-0123456789ab';
const needed = { prompt: 'a fox', image: 'x.png' };

function valuesFor(name: (typeof SHIPPED)[number], more: Record<string, unknown> = {}) {
  const template = shipped(name);
  const body = Object.fromEntries(Object.entries(needed).filter(([field]) => field in template.inputs));
  return { template, values: parse({ ...body, ...more }, undefined, template).values };
}

describe.each(SHIPPED)('%s, rendered', (name) => {
  it('has every value in every field that the input names, and nothing else changed', () => {
    const { template, values } = valuesFor(name, { steps: 7, seed: 99, sampler: 'euler', cfg: 4.25 });
    const graph = render(template, values);
    const expected = files(name).graph as typeof graph;
    for (const [input, spec] of Object.entries(template.inputs))
      for (const target of [spec.to ?? []].flat()) {
        const [node, field] = target.split('.') as [string, string];
        expected[node]!.inputs[field] = values[input];
      }
    expect(graph).toEqual(expected);
    expect(template.graph).toEqual(files(name).graph);
  });
});

it("the default's inputs go where the workflows page says", () => {
  const { template, values } = valuesFor('flux2_turbo_default', {
    cfg: 4,
    negative_prompt: 'blurry',
    lora_strength: 0.5,
  });
  const graph = render(template, values);
  const node = (classType: string) => Object.values(graph).find((n) => n.class_type === classType)!.inputs;
  expect(node('FluxGuidance')).toMatchObject({ guidance: 4 });
  expect(node('KSampler')).toMatchObject({
    cfg: 2,
    steps: 25,
    sampler_name: 'euler_ancestral',
    scheduler: 'karras',
  });
  expect(node('LoraLoaderModelOnly')).toMatchObject({ strength_model: 0.5 });
  expect(node('EmptyFlux2LatentImage')).toMatchObject({ width: 1024, height: 1024, batch_size: 1 });
});

it('any well-formed text without control characters reaches the graph as it was sent', () => {
  const template = shipped('flux2_turbo_default');
  const text = fc
    .oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 100 }))
    .map((t) => t.replaceAll(/(?![\t\n\r])\p{Cc}/gu, '\t'))
    .filter((t) => t.trim() !== '');
  const property = fc.property(text, text, (prompt, negative) => {
    const body = JSON.parse(JSON.stringify({ prompt, negative_prompt: negative })) as Record<string, unknown>;
    const graph = unpackGraph(packGraph(render(template, parse(body, undefined, template).values)));
    expect(graph['4']!.inputs['text']).toBe(prompt);
    expect(graph['5']!.inputs['text']).toBe(negative);
    expect(graph['8']!.inputs['seed']).toBe(4242);
  });
  fc.assert(property, { seed: 17, numRuns: 400 });
});

it('a large seed is exact after packing', () => {
  const { template, values } = valuesFor('flux2_turbo_default', { seed: String(2 ** 53 - 1) });
  expect(unpackGraph(packGraph(render(template, values)))['8']!.inputs['seed']).toBe(9_007_199_254_740_991);
});

describe('files that a job reads', () => {
  it('are listed with the input that names them and the fields that they go to', () => {
    const { template, values } = valuesFor('flux2_turbo_controlnet');
    expect(namedFiles(template, values)).toEqual([
      { input: 'image', type: 'image', name: 'x.png', to: ['12.image'] },
    ]);
  });

  it('that are left out are not listed', () => {
    const template = small({
      image: { type: 'image', default: '', to: '1.image' },
      text: { type: 'string', default: 'x.png' },
    });
    expect(namedFiles(template, parse({}, undefined, template).values)).toEqual([]);
    expect(namedFiles(template, parse({ image: 'y.png' }, undefined, template).values)).toHaveLength(1);
  });
});

describe('a graph as one attempt posts it', () => {
  const two: Graph = { ...GRAPH, '4': { class_type: 'PreviewImage', inputs: { filename_prefix: 'b' } } };

  it('has a prefix of its own on every node that has one', () => {
    const graph = stamp(two, JOB, 3, []);
    expect(graph['3']!.inputs['filename_prefix']).toBe(`${outputFolder(JOB)}/Own_${hexOf(JOB)}_3`);
    expect(graph['4']!.inputs['filename_prefix']).toBe(`${outputFolder(JOB)}/b_${hexOf(JOB)}_3`);
    expect(graph['1']).toMatchObject(two['1']!);
    expect(graph['2']).toEqual(two['2']);
    expect(two['4']!.inputs['filename_prefix']).toBe('b');
  });

  const saver = (inputs: Record<string, unknown>) => ({ class_type: 'SaveImage', inputs });
  const own = `${hexOf(JOB)}_1`;

  it('puts its stamp before a prefix that another node makes', () => {
    const linked = {
      '1': saver({ filename_prefix: ['2', 0] }),
      '2': { class_type: 'Wildcards', inputs: { text: 'a', seed: 1 } },
      '1_prefix': { class_type: 'Note', inputs: { text: 'its id is taken' } },
    };
    const graph = stamp(linked, JOB, 1, []);
    expect(graph['1']!.inputs['filename_prefix']).toEqual(['1_prefix_', 0]);
    expect(graph['1_prefix_']).toEqual({
      class_type: 'StringConcatenate',
      inputs: { string_a: `${outputFolder(JOB)}/${own}_`, string_b: ['2', 0], delimiter: '' },
    });
    expect(publishedPrefixOf(linked, '1')).toBe('ComfyUI');
  });

  it('stamps a prefix that a node merely holds', () => {
    const held = {
      '1': saver({ filename_prefix: ['2', 0] }),
      '2': { class_type: 'PrimitiveString', inputs: { value: 'shop/Cat' } },
    };
    expect(stamp(held, JOB, 1, [])['1']!.inputs['filename_prefix']).toBe(`${outputFolder(JOB)}/Cat_${own}`);
    expect(publishedPrefixOf(held, '1')).toBe('Cat');
  });

  it('stamps a prefix that comes through several nodes that hold it, and ends where they go round', () => {
    const link = (to: string) => ({ class_type: 'PrimitiveString', inputs: { value: [to, 0] } });
    const far = {
      '1': saver({ filename_prefix: ['2', 0] }),
      '2': link('3'),
      '3': { class_type: 'StringConstant', inputs: { string: 'Dog' } },
    };
    expect(stamp(far, JOB, 1, [])['1']!.inputs['filename_prefix']).toBe(`${outputFolder(JOB)}/Dog_${own}`);
    const round = { ...far, '3': link('2') };
    expect(stamp(round, JOB, 1, [])['1']!.inputs['filename_prefix']).toEqual(['1_prefix', 0]);
  });

  it('makes a save node run anew also where it hands its images on', () => {
    const through = {
      '1': { class_type: 'SaveAndPass', inputs: { file: 'x.png' } },
      '2': { class_type: 'Upscale', inputs: { images: ['1', 0] } },
      '3': saver({ images: ['2', 0], filename_prefix: 'a' }),
    };
    const posted = stamp(through, JOB, 1, [], { SaveAndPass: { output_node: true }, Upscale: {} });
    expect(Object.values(posted['1']!.inputs)).toContain(own);
    expect(posted['2']).toEqual(through['2']);
  });

  it('makes a save node that takes no prefix run anew, and changes nothing before it', () => {
    const fixed = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64 } },
      '2': { class_type: 'Custom', inputs: { images: ['1', 0], file: 'x.png' } },
    };
    const [first, second] = [1, 2].map((attempt) => stamp(fixed, JOB, attempt, []));
    expect(first!['1']).toEqual(fixed['1']);
    expect(first!['2']!.inputs).not.toEqual(second!['2']!.inputs);
    expect(first!['2']!.inputs).toMatchObject(fixed['2'].inputs);
  });

  it('is as before without its stamps', () => {
    const graph: Graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64 } },
      '2': { class_type: 'Custom', inputs: { images: ['1', 0], file: 'x.png' } },
      '3': saver({ images: ['1', 0], filename_prefix: ['4', 0] }),
      '3_prefix': {
        class_type: 'StringConcatenate',
        inputs: { string_a: 'a', string_b: 'b', delimiter: '' },
      },
      '4': { class_type: 'Wildcards', inputs: { text: ['3_prefix', 0] } },
      '5': saver({ images: ['1', 0], filename_prefix: 'Cat' }),
    };
    const before = structuredClone(graph);
    const once = stamp(graph, JOB, 1, []);
    expect(once).not.toEqual(before);
    expect(unstamp(once)).toEqual(before);
    expect(unstamp(before)).toEqual(before);
  });

  it('names each staged input as it lies in the input folder', () => {
    const key = `uploads/${'0'.repeat(16)}/${'a'.repeat(64)}.webp`;
    const staging = [{ key, to: ['1.image', '2.dotted.field'] }];
    const first = stamp(two, JOB, 1, staging);
    expect(first['1']!.inputs['image']).toBe(`staged-${'a'.repeat(64)}.webp`);
    expect(first['2']!.inputs['dotted.field']).toBe(first['1']!.inputs['image']);
  });

  it("publishes a node's images under its prefix, or ComfyUI's where it has none", () => {
    expect(publishedPrefixOf(GRAPH, '3')).toBe('Own');
    expect(publishedPrefixOf(GRAPH, '1')).toBe('ComfyUI');
    expect(publishedPrefixOf(GRAPH, '99')).toBe('ComfyUI');
    expect(publishedPrefixOf({ '1': { class_type: 'S', inputs: { filename_prefix: ['2', 0] } } }, '1')).toBe(
      'ComfyUI',
    );
  });
});
