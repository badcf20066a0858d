// What a compiler would say of a graph, held against what a real ComfyUI 0.33.0 said of the same: 45 graphs posted to it,
// its refusals, and what became of what it took. Source: issue 11, 26.

import { describe, expect, it, test } from 'vitest';
import recorded from '../traces/checked-graphs-0.33.json' with { type: 'json' };
import { faultsOf } from '../../functions/core/check.ts';
import { type Graph, lacks, type ObjectInfo } from '../../functions/core/object-info.ts';
import { parseTemplate } from '../../functions/core/template.ts';
import { INFO, SHIPPED, shipped } from './templates.ts';

interface Case {
  name: string;
  graph: Graph;
  status: number;
  node_errors?: Record<string, [string, string | null][]>;
  ran?: string;
}
const info = recorded.object_info as unknown as ObjectInfo;
const cases = recorded.cases as unknown as Case[];

/** As the start of a process looks at a template. */
function said({ graph }: Case): string[] {
  try {
    parseTemplate('case', graph, { title: 'A case', inputs: {} });
  } catch (error) {
    return [(error as Error).message];
  }
  const missing = lacks(graph, info).map(({ node, classType }) => `${node} lacks ${classType}`);
  return [...missing, ...faultsOf(graph, info)];
}
const refusedInputs = ({ node_errors: errors = {} }: Case) =>
  Object.entries(errors).flatMap(([node, all]) =>
    all.flatMap(([, input]) => (input === null ? [] : [{ node, input }])),
  );
const isRefused = ({ status, node_errors: errors }: Case) => status !== 200 || errors !== undefined;

describe('what it refuses is said, with the input', () => {
  test.each(cases.filter(isRefused))('$name', (one) => {
    const sentences = said(one);
    expect(sentences).not.toEqual([]);
    for (const { node, input } of refusedInputs(one))
      expect(
        sentences.filter((what) => what.includes(`node "${node}"`) && what.includes(`"${input}"`)),
      ).toHaveLength(1);
  });
});

describe('nothing is said of what it takes and runs', () => {
  // Python counts it from the end; no export has such a link.
  const but = ['output: the last one, counted from the end'];
  test.each(cases.filter((one) => !isRefused(one) && one.ran === 'success' && !but.includes(one.name)))(
    '$name',
    (one) => {
      expect(said(one)).toEqual([]);
    },
  );
});

describe('what it takes and what then fails', () => {
  const failing = cases.filter((one) => !isRefused(one) && one.ran === 'error');

  test.each(failing.filter(({ name }) => name.startsWith('dynamic combo')))('$name: said', (one) => {
    expect(said(one)).toEqual([expect.stringContaining('"resize_type"')]);
  });

  test.each(failing.filter(({ name }) => !name.startsWith('dynamic combo')))('$name: left to it', (one) => {
    expect(said(one)).toEqual([]);
  });
});

describe('the sentences', () => {
  const of = (name: string) => said(cases.find((one) => one.name === name)!);

  it.each([
    [
      'output: a second one of a node with one',
      'node "3" (SaveImage): "images" links to output 1 of node "1" (EmptyImage), which has 1',
    ],
    [
      'type: a latent where an image is saved',
      'node "3" (SaveImage): "images" takes IMAGE; output 0 of node "1" (EmptyLatentImage) is LATENT',
    ],
    [
      'type: a text for a list',
      'node "2" (ImageScaleBy): "upscale_method" takes a choice from a list; output 0 of node "4" (PrimitiveString) is STRING',
    ],
    ['autogrow: none', 'node "2" (BatchImagesNode): "images.image0" is required and not there'],
    [
      'node: an id that is a number',
      'workflows/case.json: node "3" (SaveImage): "images" links to a node by a number; its id is a text: "1"',
    ],
    ['outputs: none', 'no node of it saves or shows anything'],
    ['unreached: an unknown class', '4 lacks NobodyHasThis'],
  ])('%s', (name, sentence) => {
    expect(of(name)).toEqual([sentence]);
  });

  it('name the keys that there are', () => {
    expect(of('dynamic combo: a key that is none')[0]).toMatch(
      /"resize_type" is "scale by magic", which is none of scale dimensions, scale by multiplier, /,
    );
  });
});

test.each(SHIPPED)('%s is right', (name) => {
  expect(faultsOf(shipped(name).graph, INFO)).toEqual([]);
});

test.each([
  { A: {} },
  { A: { input: null } },
  { A: { input: { required: null, optional: 5 }, output: 'IMAGE', output_node: true } },
  {
    A: {
      input: {
        required: {
          x: 'INT',
          y: ['COMFY_AUTOGROW_V3'],
          z: ['COMFY_DYNAMICCOMBO_V3', { options: [null, 5] }],
        },
      },
    },
  },
  {
    A: {
      input: { required: { y: ['COMFY_AUTOGROW_V3', { template: { input: 5, max: 1e9, prefix: null } }] } },
    },
  },
] as unknown as ObjectInfo[])('odd descriptions of nodes are no condition: %j', (odd) => {
  const graph = {
    '1': { class_type: 'A', inputs: { z: 1, 'y.a': 2 } },
    '2': { class_type: 'A', inputs: { x: ['1', 0] } },
  };
  expect(() => faultsOf(graph, { ...odd, B: { output_node: true } })).not.toThrow();
});
