// Which inputs are proposed, under which names and bounds.

import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../../functions/core/template.ts';
import { proposalOf } from '../../../functions/core/workflow-file/proposal.ts';
import { wordOf } from '../../../functions/core/workflow-file/propose.ts';
import { bytesOf, canvas, field, gives, INFO, link, textToPicture } from './files.ts';

const { nodes, links } = textToPicture();
const inputsOf = (file: object) => proposalOf(bytesOf(file), INFO).file.inputs;

describe('a picture from a text', () => {
  const inputs = inputsOf(canvas(nodes, links));

  test('its texts by where they lead, its size, steps, strength and seed, in the order of a form', () => {
    expect(Object.entries(inputs).map(([name, { to }]) => [name, to])).toEqual([
      ['prompt', '2.text'],
      ['negative_prompt', '3.text'],
      ['width', '4.width'],
      ['height', '4.height'],
      ['steps', '5.steps'],
      ['cfg', '5.cfg'],
      ['seed', '5.seed'],
    ]);
  });

  test('with their values as defaults, and bounds that a GPU bears', () => {
    expect(inputs['prompt']).toMatchObject({ type: 'string', default: 'a red fox' });
    expect(inputs['width']).toEqual({
      title: 'Width',
      type: 'integer',
      default: 1024,
      minimum: 64,
      maximum: 2048,
      multiple_of: 8,
      to: '4.width',
    });
    expect(inputs['steps']).toMatchObject({ default: 8, minimum: 1, maximum: 50 });
    expect(inputs['seed']).toEqual({ title: 'Seed', type: 'seed', to: '5.seed' });
  });

  test('all others are candidates, each under a free name', () => {
    const { candidates } = proposalOf(bytesOf(canvas(nodes, links)), INFO);
    const others = candidates.filter(({ proposed }) => !proposed);
    expect(others.map(({ name, to, isModel }) => [name, to[0], isModel])).toEqual([
      ['name', '1.name', true],
      ['sampler', '5.sampler', false],
      ['filename_prefix', '6.filename_prefix', false],
    ]);
    expect(others[1]).toMatchObject({ spec: { type: 'choice', default: 'dpm' }, choices: ['euler', 'dpm'] });
    expect(new Set(candidates.map(({ name }) => name)).size).toBe(candidates.length);
  });
});

describe('other inputs', () => {
  test('an image that is uploaded is required; its name in the file is of another machine', () => {
    const picture = {
      id: 8,
      type: 'Picture',
      outputs: [gives('IMAGE'), gives('MASK')],
      widgets_values: ['x.png', 'image'],
    };
    expect(inputsOf(canvas([...nodes, picture], links))['image']).toEqual({
      title: 'Image',
      type: 'image',
      required: true,
      to: '8.image',
    });
  });

  test('sounds, films and other files too, by what their class says of its upload', () => {
    const graph = {
      '1': { class_type: 'Sound', inputs: { audio: 'x.mp3' } },
      '2': { class_type: 'Film', inputs: { file: 'x.mp4' } },
      '3': { class_type: 'Model', inputs: { model_file: 'x.glb' } },
      '4': { class_type: 'Record', inputs: { audio: 'x.wav' } },
    };
    expect(
      Object.entries(inputsOf(graph)).map(([name, { type, required, to }]) => [name, type, required, to]),
    ).toEqual([
      ['video', 'video', true, '2.file'],
      ['audio', 'audio', true, '1.audio'],
      ['audio_2', 'audio', true, '4.audio'],
      ['model_file', 'file', true, '3.model_file'],
    ]);
  });

  test('of ComfyUI’s own loaders it is known where no host has said anything', () => {
    const graph = {
      '1': { class_type: 'LoadAudio', inputs: { audio: 'x.mp3' } },
      '2': { class_type: 'LoadVideo', inputs: { file: 'x.mp4' } },
    };
    expect(Object.values(proposalOf(bytesOf(graph), {}).file.inputs).map(({ type }) => type)).toEqual([
      'video',
      'audio',
    ]);
  });

  test('a file that the graph does without is not required', () => {
    const graph = {
      '1': { class_type: 'Model', inputs: { model_file: 'none' } },
      '2': { class_type: 'Draw', inputs: { mask: '' } },
    };
    const { file } = proposalOf(bytesOf(graph), INFO);
    expect(file.inputs).toMatchObject({
      model_file: { type: 'file', default: '' },
      mask: { type: 'image', default: '' },
    });
    expect(() => parseTemplate('x', graph, file)).not.toThrow();
  });

  test('two of a kind have names of their own', () => {
    const more = { id: 8, type: 'Sample', title: 'Refine', widgets_values: [1, 'fixed', 30, 4, 'euler'] };
    const inputs = inputsOf(canvas([...nodes, more], links));
    expect(inputs['steps_2']).toMatchObject({ title: 'Steps (Refine)', to: '8.steps' });
  });

  test('equal sizes of several nodes are one', () => {
    const more = { id: 8, type: 'Latent', widgets_values: [1024, 768] };
    expect(inputsOf(canvas([...nodes, more], links))['width']).toMatchObject({ to: ['4.width', '8.width'] });
  });

  test('a bound that the file itself breaks is left out', () => {
    const huge = nodes.map((node) =>
      node.id === 5 ? { ...node, widgets_values: [1, 'fixed', 20000, -1, 'euler'] } : node,
    );
    const inputs = inputsOf(canvas(huge, links));
    expect(inputs['cfg']).not.toHaveProperty('minimum');
    expect(inputs['steps']).toMatchObject({ default: 20000, maximum: 40000 });
  });

  test('words that the API keeps for itself are no names', () => {
    const primitive = {
      id: 9,
      type: 'PrimitiveNode',
      title: 'Priority',
      outputs: [gives('FLOAT', 30)],
      widgets_values: [5, 'fixed'],
    };
    const linked = nodes.map((node) =>
      node.id === 5 ? { ...node, inputs: [...node.inputs!, field('cfg', 'FLOAT', 30)] } : node,
    );
    const file = canvas([...linked, primitive], [...links, [30, 9, 0, 5, 5, 'FLOAT']], {
      extra: { linearData: { inputs: [['9', 'value']] } },
    });
    expect(inputsOf(file)['priority_value']).toMatchObject({ title: 'Priority', to: '5.cfg' });
  });
});

describe('a name is what a person called it, or what it is for', () => {
  const names = (graph: object) => Object.keys(inputsOf(graph));
  const titled = (classType: string, title: string, inputs: object) => ({
    class_type: classType,
    inputs,
    _meta: { title },
  });
  const LATENT = { class_type: 'Latent', inputs: { width: ['1', 0], height: ['2', 0] } };

  test('an input of a subgraph that nobody named has the name of what is inside', () => {
    const inside = (id: number, title: string, link: number) => ({
      id,
      type: 'Number',
      title,
      inputs: [field('value', 'INT', link)],
      outputs: [gives('INT', link + 2)],
      widgets_values: [1024, 'fixed'],
    });
    const subgraph = {
      id: 'f0a1b2c3-0000-4000-8000-000000000001',
      name: 'Size',
      inputs: [
        { name: 'value', type: 'INT', linkIds: [50] },
        { name: 'value_1', type: 'INT', linkIds: [51] },
      ],
      outputs: [{ name: 'LATENT', type: 'LATENT', linkIds: [54] }],
      inputNode: { id: -10 },
      outputNode: { id: -20 },
      nodes: [
        inside(31, 'Width', 50),
        inside(32, 'Height', 51),
        {
          id: 33,
          type: 'Latent',
          inputs: [field('width', 'INT', 52), field('height', 'INT', 53)],
          outputs: [gives('LATENT', 54)],
          widgets_values: [64, 64],
        },
      ],
      links: [
        link(50, -10, 0, 31, 0, 'INT'),
        link(51, -10, 1, 32, 0, 'INT'),
        link(52, 31, 0, 33, 0, 'INT'),
        link(53, 32, 0, 33, 1, 'INT'),
        link(54, 33, 0, -20, 0, 'LATENT'),
      ],
    };
    const host = { id: 30, type: subgraph.id, outputs: [gives('LATENT', 6)], widgets_values: [1024, 768] };
    const around = nodes.map((node) => (node.id === 4 ? host : node));
    const linked = links.map((row) => (row[1] === 4 ? ([6, 30, 0, 5, 3, 'LATENT'] as typeof row) : row));
    const inputs = inputsOf(canvas(around, linked, { definitions: { subgraphs: [subgraph] } }));
    expect(inputs).toMatchObject({
      width: { title: 'Width', default: 1024, minimum: 64, to: '30:31.value' },
      height: { title: 'Height', default: 768, to: '30:32.value' },
    });
  });

  test('a number without a title has the name of the input that it feeds, through switches too', () => {
    const graph = {
      '1': titled('Number', 'A number', { value: 512 }),
      '2': { class_type: 'Switch', inputs: { on_true: ['3', 0], on_false: 4, switch: true } },
      '3': titled('Number', 'Number', { value: 768 }),
      '4': LATENT,
    };
    expect(names(graph)).toEqual(['width', 'height']);
  });

  test('one that feeds several of different names keeps its own', () => {
    const graph = { '1': { class_type: 'Number', inputs: { value: 512 } }, '4': LATENT };
    const both = { ...graph, '4': { ...LATENT, inputs: { width: ['1', 0], height: ['1', 0] } } };
    expect(proposalOf(bytesOf(both), INFO).candidates.map(({ name }) => name)).toEqual(['value']);
  });

  test('files of the same kind are told apart by their titles', () => {
    const load = (title: string) => titled('Picture', title, { image: 'x.png' });
    expect(names({ '1': load('Start_image'), '2': load('Load End Image') })).toEqual([
      'start_image',
      'end_image',
    ]);
    expect(names({ '1': load('Start_image') })).toEqual(['image']);
    expect(names({ '1': load('Picture'), '2': load('Picture') })).toEqual(['image', 'image_2']);
  });

  test('the first text is the prompt, others are what their fields or titles say', () => {
    expect(names({ '1': { class_type: 'Sing', inputs: { tags: 'jazz', lyrics: 'la' } } })).toEqual([
      'prompt',
      'lyrics',
    ]);
  });
});

describe('a file with the form of an app', () => {
  const withForm = (...inputs: unknown[]) =>
    canvas(nodes, links, { extra: { linearData: { inputs, outputs: ['6'] } } });

  test('has its fields in its order, and the seeds', () => {
    expect(Object.keys(inputsOf(withForm([5, 'steps'], ['2', 'text'])))).toEqual(['steps', 'prompt', 'seed']);
  });

  test('also where a newer file writes the graph’s id into each', () => {
    const id = 'e13112f7-3d09-4ae1-9e84-633a0627d945:5:sampler';
    expect(Object.keys(inputsOf(withForm([id, 'sampler'])))).toEqual(['sampler', 'seed']);
  });

  test('what it shows and the graph does not have is noted', () => {
    expect(proposalOf(bytesOf(withForm(['99', 'gone'])), INFO).notes).toHaveLength(1);
  });
});

test('an API export has candidates too', () => {
  const graph = {
    '1': {
      class_type: 'Sample',
      inputs: { seed: 3, steps: 4, cfg: 1, sampler: 'euler' },
      _meta: { title: 'S' },
    },
  };
  const { file, graph: same } = proposalOf(bytesOf(graph), INFO);
  expect(same).toEqual(graph);
  expect(Object.keys(parseTemplate('x', same, file).inputs)).toEqual(['steps', 'cfg', 'seed']);
});

test.each([
  ['Negative Prompt (long)', 'negative_prompt_long'],
  ['Höhe', 'hoehe'],
  ['提示词', 'input'],
  ['1st image', 'st_image'],
  ['__x__', 'x'],
  ['a'.repeat(80), 'a'.repeat(40)],
])('%s is %s', (title, word) => {
  expect(wordOf(title)).toBe(word);
});

test.each<[unknown, string | undefined]>([
  ['Blue', 'Blue'],
  ['out/blue_sky', 'Blue sky'],
  ['%date:yyyy-MM-dd%/fox_%KSampler.seed%', 'Fox'],
  ['portrait_%date:yyyy/MM/dd%', 'Portrait'],
  ['ComfyUI', undefined],
  ['video/ComfyUI', undefined],
  ['%date:yyyy%', undefined],
  ['2026_', undefined],
  ['', undefined],
  [['1', 0], undefined],
])('a graph that saves as %j has the title %j', (prefix, title) => {
  const graph = {
    '1': { class_type: 'EmptyImage', inputs: {} },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } },
  };
  const { title: found, file } = proposalOf(bytesOf(graph), INFO);
  expect([found, file.title]).toEqual([title, title ?? 'Workflow']);
  expect(proposalOf(bytesOf(graph), INFO, 'Own').file.title).toBe('Own');
});
