// A canvas becomes the graph that ComfyUI's page would send, thing by thing.

import { describe, expect, test } from 'vitest';
import { isCanvas, readCanvas } from '../../../functions/core/workflow-file/canvas.ts';
import { convert } from '../../../functions/core/workflow-file/convert.ts';
import { canvas, field, gives, INFO, link, takes, textToPicture } from './files.ts';

function converted(file: object) {
  if (!isCanvas(file)) throw new Error('no canvas');
  return convert(readCanvas(file), INFO);
}
const inputsOf = (file: object, node: string) => converted(file).graph[node]?.inputs;
const codesOf = (file: object) => converted(file).faults.map(({ code, node, input }) => [code, node, input]);

describe('nodes and links', () => {
  const { nodes, links } = textToPicture();

  test('each node has its values by name and its links by node and output', () => {
    const { graph, faults, notes } = converted(canvas(nodes, links));
    expect(graph['5']).toEqual({
      class_type: 'Sample',
      inputs: {
        model: ['1', 0],
        seed: 42,
        steps: 8,
        cfg: 3.5,
        sampler: 'dpm',
        positive: ['2', 0],
        negative: ['3', 0],
        latent: ['4', 0],
      },
      _meta: { title: 'Sample' },
    });
    expect(graph['2']).toEqual({
      class_type: 'Encode',
      inputs: { text: 'a red fox', clip: ['1', 1] },
      _meta: { title: 'What to see' },
    });
    expect([faults, notes]).toEqual([[], []]);
  });

  test('format 1, whose links are objects and pass native reroutes, is the same graph', () => {
    const objects = links.map((row) => ({ ...link(...row), parentId: 1 }));
    const reroutes = [{ id: 1, linkIds: [1], pos: [0, 0] }];
    const file = { ...canvas(nodes, []), version: 1, links: objects, reroutes, state: {} };
    expect(converted(file).graph).toEqual(converted(canvas(nodes, links)).graph);
  });

  test('values by name go before those by place, since another version has other places', () => {
    const renamed = { seed: 7, steps: 9, cfg: 1, sampler: 'euler', control_after_generate: 'fixed' };
    const file = canvas(
      [{ id: 5, type: 'Sample', widgets_values: [1, 2], widgets_values_named: renamed }],
      [],
    );
    expect(inputsOf(file, '5')).toEqual({ seed: 7, steps: 9, cfg: 1, sampler: 'euler' });
    const only = canvas([{ id: 5, type: 'Sample', widgets_values: renamed }], []);
    expect(inputsOf(only, '5')).toEqual({ seed: 7, steps: 9, cfg: 1, sampler: 'euler' });
  });

  test('what the file does not hold is the default', () => {
    expect(inputsOf(canvas([{ id: 5, type: 'Sample', widgets_values: [1] }], []), '5')).toEqual({
      seed: 1,
      steps: 20,
      cfg: 8,
      sampler: 'euler',
    });
  });

  test('a value that comes by a link since is passed over where an older file still holds it', () => {
    const info = { Forced: { input: { required: { a: ['INT', { forceInput: true }], b: ['INT', {}] } } } };
    const of = (values: number[]) =>
      convert(readCanvas({ nodes: [{ id: 1, type: 'Forced', widgets_values: values }] }), info).graph['1']!
        .inputs;
    expect([of([5, 6]), of([6])]).toEqual([{ b: 6 }, { b: 6 }]);
  });

  test('a chosen key brings its own fields along, before the next', () => {
    const file = (values: unknown[]) => canvas([{ id: 1, type: 'Keyed', widgets_values: values }], []);
    expect(inputsOf(file(['by size', 3, 4, true]), '1')).toEqual({
      mode: 'by size',
      'mode.w': 3,
      'mode.h': 4,
      last: true,
    });
    expect(inputsOf(file(['by factor', 5, true]), '1')).toEqual({
      mode: 'by factor',
      'mode.factor': 5,
      last: true,
    });
  });

  test('a list is wrapped: bare it would be a link', () => {
    const info = {
      Many: { input: { required: { some: ['COMBO', { options: ['a', 'b'], multi_select: true }] } } },
    };
    const file = { nodes: [{ id: 1, type: 'Many', widgets_values: [['a', 'b']] }] };
    expect(convert(readCanvas(file), info).graph['1']!.inputs).toEqual({ some: { __value__: ['a', 'b'] } });
  });
});

describe('what is on the canvas alone', () => {
  const { nodes, links } = textToPicture();
  /** The picture with one node more, and the sampler's link to the model replaced. */
  const between = (node: object, ...more: object[]) =>
    canvas(
      [
        ...nodes,
        { id: 10, type: '', inputs: [takes('', '*', 20)], outputs: [gives('*', 1)], ...node },
        ...(more as typeof nodes),
      ],
      [[20, 1, 0, 10, 0, 'MODEL'], [1, 10, 0, 5, 0, 'MODEL'], ...links.slice(1)],
    );

  test('a reroute passes on what comes', () => {
    const { graph, faults } = converted(between({ type: 'Reroute' }));
    expect([graph['5']!.inputs['model'], graph['10'], faults]).toEqual([['1', 0], undefined, []]);
  });

  test('notes are left out', () => {
    const file = canvas(
      [...nodes, { id: 8, type: 'Note', widgets_values: ['x'] }, { id: 9, type: 'MarkdownNote' }],
      links,
    );
    expect(Object.keys(converted(file).graph)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('a bypassed node passes on its input of the same type', () => {
    const adapt = {
      type: 'Adapt',
      mode: 4,
      inputs: [takes('model', 'MODEL', 20)],
      outputs: [gives('MODEL', 1)],
    };
    expect(inputsOf(between(adapt), '5')).toMatchObject({ model: ['1', 0] });
    const other = { ...adapt, inputs: [takes('clip', 'CLIP'), takes('model', 'MODEL', 20)] };
    expect(inputsOf(between(other), '5')).toMatchObject({ model: ['1', 0] });
  });

  test('a muted node gives nothing, and what needs it is named', () => {
    const file = between({ type: 'Adapt', mode: 2 });
    expect(inputsOf(file, '5')).not.toHaveProperty('model');
    expect(codesOf(file)).toEqual([['not_sent', '5', 'model']]);
    expect(converted(file).faults[0]!.message).toMatch(/node 10 is muted/);
  });

  test('a primitive sets each field that it is linked to', () => {
    const primitive = {
      id: 11,
      type: 'PrimitiveNode',
      title: 'Steps',
      outputs: [gives('INT', 30)],
      widgets_values: [33, 'fixed'],
    };
    const linked = nodes.map((node) =>
      node.id === 5 ? { ...node, inputs: [...node.inputs!, field('steps', 'INT', 30)] } : node,
    );
    const { graph, fields } = converted(canvas([...linked, primitive], [...links, [30, 11, 0, 5, 5, 'INT']]));
    expect(graph['5']!.inputs['steps']).toBe(33);
    expect(graph).not.toHaveProperty('11');
    expect(fields.find(({ node }) => node === '11')).toEqual({
      node: '11',
      name: 'value',
      title: 'Steps',
      to: [{ node: '5', field: 'steps' }],
    });
  });

  test('a field that was turned into an input is a link; unlinked it keeps its value', () => {
    const number = { id: 12, type: 'Number', outputs: [gives('INT', 31)], widgets_values: [4] };
    const turned = (id: number | null) =>
      nodes.map((node) =>
        node.id === 5 ? { ...node, inputs: [...node.inputs!, field('steps', 'INT', id)] } : node,
      );
    const file = canvas([...turned(31), number], [...links, [31, 12, 0, 5, 5, 'INT']]);
    expect(inputsOf(file, '5')).toMatchObject({ steps: ['12', 0], cfg: 3.5 });
    expect(inputsOf(canvas(turned(null), links), '5')).toMatchObject({ steps: 8 });
  });

  test('a pair of nodes that set and get by name is a link', () => {
    const set = {
      type: 'SetNode',
      widgets_values: ['m'],
      inputs: [takes('MODEL', 'MODEL', 20)],
      outputs: [],
    };
    const get = { id: 13, type: 'GetNode', widgets_values: ['m'], outputs: [gives('MODEL', 1)] };
    const file = between(set, get);
    file.links = file.links.map((row) => (row[0] === 1 ? [1, 13, 0, 5, 0, 'MODEL'] : row));
    expect(inputsOf(file, '5')).toMatchObject({ model: ['1', 0] });
  });
});

describe('subgraphs', () => {
  /** Adapt inside, its strength promoted. */
  const definition = (more: object = {}) => ({
    id: 'sub',
    name: 'Adapted',
    inputNode: { id: -10 },
    outputNode: { id: -20 },
    inputs: [
      { id: 'i', name: 'model', type: 'MODEL', linkIds: [1] },
      { id: 'j', name: 'strength', label: 'How much', type: 'FLOAT', linkIds: [2] },
    ],
    outputs: [{ id: 'o', name: 'MODEL', type: 'MODEL', linkIds: [3] }],
    nodes: [
      {
        id: 7,
        type: 'Adapt',
        inputs: [takes('model', 'MODEL', 1), field('strength', 'FLOAT', 2)],
        outputs: [gives('MODEL', 3)],
        widgets_values: [0.5],
      },
    ],
    links: [link(1, -10, 0, 7, 0, 'MODEL'), link(2, -10, 1, 7, 1, 'FLOAT'), link(3, 7, 0, -20, 0, 'MODEL')],
    ...more,
  });
  const host = (id: number, more: object = {}) => ({
    id,
    type: 'sub',
    inputs: [takes('model', 'MODEL', 20), field('strength', 'FLOAT')],
    outputs: [gives('MODEL', 1)],
    ...more,
  });
  const { nodes, links } = textToPicture();
  const around = (node: object & { id: number; type: string }, subgraphs: object[] = [definition()]) =>
    canvas(
      [...nodes, node],
      [[20, 1, 0, node.id, 0, 'MODEL'], [1, node.id, 0, 5, 0, 'MODEL'], ...links.slice(1)],
      { definitions: { subgraphs } },
    );

  test('its nodes have ids below its own, linked in and out', () => {
    const { graph, faults } = converted(around(host(30)));
    expect(graph['30:7']!.inputs).toEqual({ model: ['1', 0], strength: 0.5 });
    expect(graph['5']!.inputs['model']).toEqual(['30:7', 0]);
    expect([graph['30'], faults]).toEqual([undefined, []]);
  });

  test('each use sets the promoted fields anew, and they are one field under their label', () => {
    const { graph, fields } = converted(around(host(30, { widgets_values: [0.9] })));
    expect(graph['30:7']!.inputs['strength']).toBe(0.9);
    expect(fields.find(({ node }) => node === '30')).toEqual({
      node: '30',
      name: 'strength',
      title: 'How much',
      to: [{ node: '30:7', field: 'strength' }],
    });
  });

  test('fields that an older file promotes by a list are set too, linked inside or not', () => {
    const proxyWidgets = [['7', 'strength']];
    expect(
      inputsOf(around(host(30, { properties: { proxyWidgets }, widgets_values: [0.7] })), '30:7'),
    ).toMatchObject({ strength: 0.7 });
    const unlinked = definition({
      inputs: definition().inputs.slice(0, 1),
      nodes: [
        { ...definition().nodes[0]!, inputs: [takes('model', 'MODEL', 1), field('strength', 'FLOAT')] },
      ],
    });
    const file = around(host(30, { properties: { proxyWidgets }, widgets_values: [0.6] }), [unlinked]);
    expect(inputsOf(file, '30:7')).toMatchObject({ strength: 0.6 });
    const gone = around(host(30, { properties: { proxyWidgets: [['7', 'gone']] }, widgets_values: [1] }));
    expect(codesOf(gone)).toEqual([['bad_node', '30:7', 'gone']]);
  });

  test('subgraphs lie within subgraphs, and promote through', () => {
    const outer = {
      ...definition(),
      id: 'outer',
      nodes: [{ ...definition().nodes[0]!, type: 'sub', widgets_values: undefined }],
    };
    const file = around({ ...host(30, { widgets_values: [0.2] }), type: 'outer' }, [definition(), outer]);
    const { graph } = converted(file);
    expect(graph['30:7:7']!.inputs).toEqual({ model: ['1', 0], strength: 0.2 });
    expect(graph['5']!.inputs['model']).toEqual(['30:7:7', 0]);
  });

  test('a bypassed one passes on, a muted one gives nothing, and neither has nodes', () => {
    const { graph } = converted(around(host(30, { mode: 4 })));
    expect([graph['5']!.inputs['model'], graph['30:7']]).toEqual([['1', 0], undefined]);
    expect(codesOf(around(host(30, { mode: 2 })))).toEqual([['not_sent', '5', 'model']]);
  });

  test('one that only passes its input on is a link past it', () => {
    const empty = definition({ nodes: [], links: [link(3, -10, 0, -20, 0, 'MODEL')] });
    expect(inputsOf(around(host(30), [empty]), '5')).toMatchObject({ model: ['1', 0] });
  });

  test('one with itself inside, or that unfolds without end, is refused', () => {
    const self = definition({ nodes: [{ ...definition().nodes[0]!, type: 'sub' }] });
    expect(() => converted(around(host(30), [self]))).toThrow(/has itself inside/);
    const many = Array.from({ length: 16 }, (_, level) => ({
      ...definition(),
      id: `s${level}`,
      nodes: [1, 2].map((id) => ({ id, type: `s${level + 1}` })),
      links: [],
    }));
    expect(() => converted(around({ ...host(30), type: 's0' }, many))).toThrow(/2000 nodes/);
  });
});

describe('what is wrong is named by node', () => {
  test.each([
    [
      'a class that no host has',
      { id: 1, type: 'Custom', widgets_values: [] },
      ['unknown_node', '1', undefined],
    ],
    ['a group node', { id: 1, type: 'workflow>Mine' }, ['group_node', '1', undefined]],
    [
      'a subgraph that is not there',
      { id: 1, type: '7651d2ae-5471-47b0-b064-b34ee62343c1' },
      ['missing_subgraph', '1', undefined],
    ],
    [
      'a link that is not there',
      { id: 1, type: 'Save', inputs: [takes('latent', 'LATENT', 9)] },
      ['bad_link', '1', 'latent'],
    ],
    ['a node without a type', { id: 1 }, ['bad_node', '1', undefined]],
  ])('%s', (_, node, expected) => {
    expect(codesOf(canvas([node as never], []))).toEqual([expected]);
  });

  test('reroutes in a circle', () => {
    const reroute = (id: number, from: number, to: number) => ({
      id,
      type: 'Reroute',
      inputs: [takes('', '*', from)],
      outputs: [gives('*', to)],
    });
    const save = { id: 3, type: 'Save', inputs: [takes('latent', 'LATENT', 3)] };
    const file = canvas(
      [reroute(1, 2, 1), reroute(2, 1, 2), save],
      [
        [1, 1, 0, 2, 0, '*'],
        [2, 2, 0, 1, 0, '*'],
        [3, 1, 0, 3, 0, '*'],
      ],
    );
    expect(codesOf(file)).toEqual([['bad_link', '3', 'latent']]);
  });

  test('an unknown class keeps the values that the file names or orders', () => {
    const inputs = [field('seed', 'INT'), field('how', 'COMBO'), takes('model', 'MODEL')];
    const ordered = { id: 1, type: 'Custom', inputs, widgets_values: [5, 'fixed', 'fast'] };
    expect(inputsOf(canvas([ordered], []), '1')).toEqual({ seed: 5, how: 'fast' });
  });

  test('what the page alone would do to a text is noted', () => {
    const encode = { id: 1, type: 'Encode', widgets_values: ['a {red|blue} fox'] };
    const save = { id: 2, type: 'Save', widgets_values: ['%date:yyyy%/x'] };
    const { notes, graph } = converted(canvas([encode, save], []));
    expect(notes).toHaveLength(2);
    expect(graph['1']!.inputs['text']).toBe('a {red|blue} fox');
  });
});
