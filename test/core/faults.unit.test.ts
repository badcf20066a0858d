// What a compiler would say of a graph, held against what a real ComfyUI 0.8.0 and 0.33.0 said of the same: 45 graphs posted
// to each, its refusals, and what became of what it took. Source: docs/reports.md.

import { describe, expect, it, test } from 'vitest';
import recorded8 from './recorded/checked-graphs-0.8.json' with { type: 'json' };
import recorded33 from './recorded/checked-graphs-0.33.json' with { type: 'json' };
import { type Graph, missingRequirements, type ObjectInfo } from '../../functions/core/object-info.ts';
import { faultsOf } from '../../functions/core/preflight/faults.ts';
import { parseTemplate } from '../../functions/core/template.ts';
import { INFO, SHIPPED, shipped } from './templates.ts';

interface Case {
  name: string;
  graph: Graph;
  status: number;
  node_errors?: Record<string, [string, string | null][]>;
  ran?: string;
}
interface Recorded {
  cases: Case[];
  object_info: ObjectInfo;
}

/** As a process checks a template at its start. */
function said({ graph }: Case, info: ObjectInfo): string[] {
  try {
    parseTemplate('case', graph, { title: 'A case', inputs: {} });
  } catch (error) {
    return [(error as Error).message];
  }
  const missing = missingRequirements(graph, info).map(({ node, classType }) => `${node} lacks ${classType}`);
  return [...missing, ...faultsOf({ graph, inputs: {} }, info)];
}
const refusedInputs = ({ node_errors: errors = {} }: Case) =>
  Object.entries(errors).flatMap(([node, all]) =>
    all.flatMap(([, input]) => (input === null ? [] : [{ node, input }])),
  );
const isRefused = ({ status, node_errors: errors }: Case) => status !== 200 || errors !== undefined;

/** Python counts it from the end; no export has such a link. */
const OUR_OWN = ['output: the last one, counted from the end'];
/** One version refuses them and the other runs them: nothing in their object_info says which. */
const IN_DOUBT = ['autogrow: only a later one', 'autogrow with names: only b'];
/** What ComfyUI takes and what is sure to fail in its run. */
const SURE_TO_FAIL = /^dynamic combo: |^autogrow: (none|under its plain name)$/;

describe.each([
  ['0.8.0', recorded8],
  ['0.33.0', recorded33],
] as unknown as [string, Recorded][])('ComfyUI %s', (_, { cases, object_info: info }) => {
  const judged = cases.filter(({ name }) => !IN_DOUBT.includes(name));

  describe('what it refuses is said, with the input', () => {
    test.each(judged.filter(isRefused))('$name', (one) => {
      const sentences = said(one, info);
      expect(sentences).not.toEqual([]);
      for (const { node, input } of refusedInputs(one))
        expect(
          sentences.filter((what) => what.includes(`node "${node}"`) && what.includes(`"${input}"`)),
        ).toHaveLength(1);
    });
  });

  describe('nothing is said of what it takes and runs', () => {
    const running = cases.filter((one) => !isRefused(one) && one.ran === 'success');
    test.each(running.filter(({ name }) => !OUR_OWN.includes(name)))('$name', (one) => {
      expect(said(one, info)).toEqual([]);
    });
  });

  describe('what it takes and what then fails', () => {
    const failing = cases.filter((one) => !isRefused(one) && one.ran === 'error');
    test.each(failing.filter(({ name }) => SURE_TO_FAIL.test(name)))('$name: said', (one) => {
      expect(said(one, info)).toHaveLength(1);
    });
    test.each(failing.filter(({ name }) => !SURE_TO_FAIL.test(name)))('$name: left to it', (one) => {
      expect(said(one, info)).toEqual([]);
    });
  });
});

describe('the sentences', () => {
  const { cases, object_info: info } = recorded33 as unknown as Recorded;
  const of = (name: string) =>
    said(
      cases.find((one) => one.name === name)!,
      info,
    );

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
    ['autogrow: none', 'node "2" (BatchImagesNode): "images.image0" is required and missing'],
    [
      'node: an id that is a number',
      'workflows/case.json: node "3" (SaveImage): "images" links to a node by a number; its id is a text: "1"',
    ],
    ['outputs: none', 'no node of it is an output node: nothing would be saved'],
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
  expect(faultsOf(shipped(name), INFO)).toEqual([]);
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
  expect(() => faultsOf({ graph, inputs: {} }, { ...odd, B: { output_node: true } })).not.toThrow();
});
