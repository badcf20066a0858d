// The preflight of a whole graph: what ComfyUI 0.33 answered (test/traces/v033), what it must never let through, its bounds,
// and several hosts with different nodes.

import { describe, expect, test } from 'vitest';
import recorded from '../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { MAX_GRAPH_BYTES, MAX_GRAPH_CHAIN, MAX_GRAPH_NODES } from '../../functions/core/limits.ts';
import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';
import { parseJson } from '../../functions/core/json.ts';
import { preflight, type Preflight, type Reason } from '../../functions/core/preflight/preflight.ts';
import partlyRefused from '../traces/v033/partly-refused.json' with { type: 'json' };
import refusedType from '../traces/v033/refused-type.json' with { type: 'json' };
import refusals from '../traces/v033/refused.json' with { type: 'json' };

const nodes = recorded as unknown as ObjectInfo;
const check = (graph: unknown, options = {}) => preflight(graph, [{ hostId: 'one', nodes }], options);

interface Body {
  error?: Reason;
  node_errors: Preflight['node_errors'];
}

/** Tracebacks name ComfyUI's files, and the hint is ours; a tooltip is not part of what a host stores of its nodes. */
function comparable({
  error,
  node_errors: errors,
}: {
  error?: Reason | null;
  node_errors: unknown;
}): unknown {
  return JSON.parse(
    JSON.stringify({ error: error ?? null, errors }, (key, value: unknown) =>
      ['traceback', 'hint', 'tooltip'].includes(key) ? undefined : value,
    ),
  ) as unknown;
}

describe('the traces of 0.33', () => {
  const posted = refusals.calls.flatMap(({ case: name, request, status, body }) =>
    request && status === 400 ? [{ name, graph: request.prompt, body: body as unknown as Body }] : [],
  );
  test.each(posted)('$name', ({ graph, body }) => {
    const answer = check(graph);
    expect(comparable(answer)).toEqual(comparable(body));
    expect(answer.outputs).toEqual([]);
  });

  test('a link of the wrong type', () => {
    const [, body] = refusedType.answer as unknown as [number, Body];
    expect(comparable(check(refusedType.request['POST /prompt'].prompt))).toEqual(comparable(body));
  });

  test('one output of two runs', () => {
    const [status, body] = partlyRefused.answer as unknown as [number, Body];
    const answer = check(partlyRefused.request['POST /prompt'].prompt);
    expect(status).toBe(200);
    expect(comparable(answer)).toEqual(comparable(body));
    expect(answer.outputs).toEqual(['2']);
  });
});

const save = (images: unknown) => ({ class_type: 'SaveImage', inputs: { images, filename_prefix: 'x' } });
const load = (image: unknown) => ({ class_type: 'LoadImage', inputs: { image } });
const empty = { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } };
const typesOf = ({ error, node_errors: errors }: Preflight) => ({
  error: error?.type ?? null,
  nodes: Object.fromEntries(
    Object.entries(errors).map(([id, node]) => [id, node.errors.map(({ type }) => type)]),
  ),
});

test('a node may be called as a member of every object', () => {
  const answer = check({ toString: { class_type: 'SaveImage', inputs: {} } });
  expect(answer.node_errors['toString']).toMatchObject({ dependent_outputs: ['toString'] });
});

describe('what is no graph', () => {
  test.each([null, [], 'x', 5, { '1': 5 }, { '1': [] }, { '1': { ...empty, inputs: [] } }])('%j', (graph) => {
    expect(typesOf(check(graph))).toEqual({ error: 'invalid_prompt', nodes: {} });
  });
  test.each([
    { ...empty, class_type: {} },
    { ...empty, _meta: 'title' },
  ])('a node like %j', (node) => {
    expect(check({ '7': node }).error).toMatchObject({
      type: 'invalid_prompt',
      extra_info: { node_id: '7' },
    });
  });
  test('a canvas file says what to do', () => {
    const { error } = check({ nodes: [], links: [], version: 0.4 });
    expect(error).toMatchObject({
      type: 'workflow_format_ui',
      details: expect.stringContaining('Export (API)'),
    });
  });
  test.each(['__proto__', 'constructor', 'prototype'])('the name %s, wherever it is', (name) => {
    const places = [
      `{"1":{"class_type":"EmptyImage","inputs":{}},"${name}":{"class_type":"EmptyImage","inputs":{}}}`,
      `{"1":{"class_type":"EmptyImage","inputs":{"${name}":1}}}`,
      `{"1":{"class_type":"EmptyImage","inputs":{"width":[{"__value__":{"${name}":1}}]}}}`,
      `{"1":{"class_type":"EmptyImage","inputs":{"seed":12345678901234567890},"${name}":{}}}`,
    ];
    for (const text of places) expect(check(parseJson(text)).error?.type).toBe('invalid_prompt');
  });
  test('a class that is a word of JavaScript is a class that is not there', () => {
    const graph = { '1': { class_type: 'constructor', inputs: {} } };
    expect(check(graph).error?.type).toBe('missing_node_type');
  });
});

describe('bounds', () => {
  const chainOf = (length: number) => ({
    '0': empty,
    ...Object.fromEntries(
      Array.from({ length: length - 2 }, (_, index) => [
        `${index + 1}`,
        {
          class_type: 'ImageScaleBy',
          inputs: { image: [`${index}`, 0], upscale_method: 'area', scale_by: 1 },
        },
      ]),
    ),
    end: save([`${length - 2}`, 0]),
  });
  test('a chain as long as is allowed, and one node more', () => {
    expect(check(chainOf(MAX_GRAPH_CHAIN)).error).toBeNull();
    expect(check(chainOf(MAX_GRAPH_CHAIN + 1)).error?.type).toBe('prompt_too_large');
  });
  test('the chain that an earlier output has walked counts', () => {
    const graph = { ...chainOf(MAX_GRAPH_CHAIN), '0': load('x.png'), zero: empty, later: save(['498', 0]) };
    expect(check(graph).error).toBeNull();
    const longer = { ...graph, more: save(['end', 0]) };
    expect(check(longer).error?.type).toBe('prompt_too_large');
  });
  test('nodes, bytes, nesting', () => {
    const many = Object.fromEntries(Array.from({ length: MAX_GRAPH_NODES + 1 }, (_, id) => [`${id}`, empty]));
    const heavy = { '1': { class_type: 'A', inputs: { text: 'ü'.repeat(MAX_GRAPH_BYTES / 2) } } };
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
    for (const graph of [many, heavy, { '1': { class_type: 'A', inputs: { deep } } }])
      expect(check(graph).error?.type).toBe('prompt_too_large');
  });
});

describe('files', () => {
  const refused = { error: 'prompt_outputs_failed_validation', nodes: { '1': ['custom_validation_failed'] } };
  test.each([
    '../../etc/passwd',
    '/etc/passwd',
    'a/../../b.png',
    '..\\x.png',
    'C:\\x.png',
    '../x.png [output]',
    'a\0b',
  ])('%j leaves the folders', (name) => {
    expect(typesOf(check({ '1': load(name), '2': save(['1', 0]) }))).toEqual(refused);
  });
  test.each([
    ['x.png', 'input', 'x.png'],
    ['sub/../x.png', 'input', 'x.png'],
    ['x.png [output]', 'output', 'x.png'],
    ['sub/x.png [temp]', 'temp', 'sub/x.png'],
    ['x.png [input]', 'input', 'x.png'],
  ])('%s is looked for as ComfyUI does', (name, folder, path) => {
    const asked: unknown[] = [];
    const hasFile = (...file: unknown[]) => asked.push(file) > 0;
    expect(check({ '1': load(name), '2': save(['1', 0]) }, { hasFile }).error).toBeNull();
    expect(asked).toEqual([[folder, path]]);
  });
  test('one that is not there', () => {
    const graph = { '1': load('x.png'), '2': save(['1', 0]) };
    expect(typesOf(check(graph, { hasFile: () => false }))).toEqual(refused);
  });
  test('the files of a custom node, and those within a value', () => {
    const more = {
      Own: {
        input: { required: { video: [['a.mp4'], { video_upload: true }], view: ['LOAD_3D', {}] } },
        output_node: true,
        python_module: 'custom_nodes.own',
      },
    } as ObjectInfo;
    const of = (video: string, image: string) =>
      typesOf(
        preflight({ '1': { class_type: 'Own', inputs: { video, view: { image } } } }, [
          { hostId: 'one', nodes: more },
        ]),
      );
    expect(of('b.mp4', '3d/x.png [temp]')).toEqual({ error: null, nodes: {} });
    expect(of('../b.mp4', '3d/x.png')).toEqual(refused);
    expect(of('b.mp4', '../../x.png')).toEqual(refused);
  });
});

describe('several hosts', () => {
  const graph = {
    '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'b.safetensors' } },
    '2': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['1', 2] } },
    '3': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
    '4': save(['2', 0]),
    '5': empty,
    '6': save(['5', 0]),
  };
  const withFiles = (...files: string[]): ObjectInfo => ({
    ...nodes,
    EmptyLatentImage: { input: {}, output: ['LATENT'] },
    CheckpointLoaderSimple: {
      input: { required: { ckpt_name: [files] } },
      output: ['MODEL', 'CLIP', 'VAE'],
    },
  });
  const one = { hostId: 'one', nodes: withFiles('a.safetensors') };
  const two = { hostId: 'two', nodes: withFiles('a.safetensors', 'b.safetensors') };

  test('the one that runs the most of it counts', () => {
    expect(preflight(graph, [one, two])).toMatchObject({
      error: null,
      node_errors: {},
      outputs: ['4', '6'],
      hosts: ['two'],
    });
  });
  test('none has the model: part of it runs', () => {
    const answer = preflight(graph, [one, { ...one, hostId: 'three' }]);
    expect(answer).toMatchObject({ error: null, outputs: ['6'], hosts: ['one', 'three'] });
    expect(answer.node_errors).toMatchObject({
      '1': { errors: [{ type: 'value_not_in_list' }], dependent_outputs: ['4'] },
    });
    expect(preflight(graph, [one], { targets: ['4'] }).error?.type).toBe('prompt_outputs_failed_validation');
  });
  test('a host that knows the nodes says more than one that does not', () => {
    const { error, hosts } = preflight(graph, [{ hostId: 'bare', nodes: {} }, one], { targets: ['4'] });
    expect(error?.type).toBe('prompt_outputs_failed_validation');
    expect(hosts).toEqual(['one']);
  });
  test('none has reported its nodes: only the shape is checked', () => {
    expect(preflight(graph, [])).toEqual({ error: null, node_errors: {}, outputs: [], hosts: [] });
    expect(preflight({ nodes: [] }, []).error?.type).toBe('workflow_format_ui');
  });

  test('what the last host lacked another may have: classes and model files, and nothing else', () => {
    const later = (more: Graph) => preflight({ ...graph, ...more }, [one], { mayHaveMore: true });
    expect(later({})).toMatchObject({ error: null, node_errors: {}, outputs: ['4', '6'] });
    expect(later({ '7': { class_type: 'New', inputs: {} } })).toMatchObject({ error: null, outputs: [] });
    const wrong = later({ '5': { ...empty, inputs: { ...empty.inputs, width: 0 } } });
    expect(wrong.node_errors).toMatchObject({ '5': { errors: [{ type: 'value_smaller_than_min' }] } });
  });
});
