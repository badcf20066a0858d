// What ComfyUI's history says became of a prompt, read from recordings of a real one.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  failedNode,
  type Outcome,
  outcomeOf as outcomeFor,
  ranFor,
  withoutPaths,
} from '../../functions/core/outcome.ts';

type Entry = Parameters<typeof outcomeFor>[0];
/** The recorded ones carry no stamp: they are known by their time. */
const outcomeOf = (entry: Entry) => outcomeFor(entry, 'stamp');

function recorded(name: string): Entry {
  const text = readFileSync(new URL(`../traces/${name}.json`, import.meta.url), 'utf8');
  const [entry] = Object.values((JSON.parse(text) as { history: Record<string, Entry> }).history);
  return entry!;
}

const ended = (
  outputs: Entry['outputs'],
  status_str = 'success',
  messages: Entry['status']['messages'] = [],
) => ({
  outputs,
  status: { status_str, messages },
});
/** Of its files, and its texts. */
const namesOf = (outcome: Outcome) =>
  outcome.kind === 'outputs'
    ? outcome.outputs.map((output) => ('text' in output ? output.text : output.filename))
    : outcome;
const own = (filename: string) => ({ filename, subfolder: '', type: 'output' });
const RUN: Entry['status']['messages'] = [
  ['execution_start', { timestamp: 1000 }],
  ['execution_success', { timestamp: 2000 }],
];
const failure = (type: string, message: string) =>
  outcomeOf(
    ended({}, 'error', [
      ['execution_start', {}],
      [
        'execution_error',
        { node_id: '8', node_type: 'KSampler', exception_type: type, exception_message: message },
      ],
    ]),
  );

it('success: the images that were saved', () => {
  expect(outcomeOf(recorded('success'))).toMatchObject({
    kind: 'outputs',
    outputs: [
      { node: '11', key: 'images', filename: 'Flux2_Turbo_0001_00003_.png', subfolder: '', type: 'output' },
    ],
  });
});

it('a batch: every image, in its order', () => {
  const outcome = outcomeOf(recorded('success-batch'));
  const names = namesOf(outcome) as string[];
  expect(names.length).toBeGreaterThan(1);
  expect(names).toEqual(names.toSorted());
});

it('a node that failed: the job failed, with the node and the reason, without paths', () => {
  const outcome = outcomeOf(recorded('node-error'));
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'node_failed' } });
  const message = outcome.kind === 'failed' ? outcome.failure.message : '';
  expect(message).toMatch(/^LoadImage \(node 1\) failed: PIL\.UnidentifiedImageError: .*broken\.png/);
  expect(failedNode(message)).toEqual({
    classType: 'LoadImage',
    node: '1',
    exception: 'PIL.UnidentifiedImageError',
    message: expect.stringContaining('broken.png'),
  });
  expect(failedNode('It waited for longer than a day')).toBeUndefined();
  expect(message).not.toContain('/opt');
});

it('an interrupted prompt is lost, not failed', () => {
  expect(outcomeOf(recorded('interrupted'))).toEqual({
    kind: 'lost',
    reason: 'it was interrupted on the GPU host',
  });
});

it('an end without an output is a failure: what was there before is none, nor is a number', () => {
  const files = [
    { filename: 'b.png', subfolder: '', type: 'input' },
    { subfolder: '', type: 'output' },
    { filename: 'b.png', type: 'elsewhere' },
    'a string',
    7,
    null,
  ];
  const nothing: Entry['outputs'][] = [
    {},
    { '9': {} },
    { '9': null },
    { '9': { images: files, animated: [true], dims: [64, 64], text: [] } },
    { '9': { images: 'none' } },
  ];
  for (const outputs of nothing)
    expect(outcomeOf(ended(outputs))).toMatchObject({ kind: 'failed', failure: { code: 'no_output' } });
});

describe('files and texts of a real 0.33.0, under whatever key', () => {
  const path = new URL('recorded/outputs-0.33.json', import.meta.url);
  const entries = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Entry>;
  const expected: Record<string, string[]> = {
    image: ['2 images Pic_00001_.png'],
    batch: ['2 images Pic_00001_.png', '2 images Pic_00002_.png', '2 images Pic_00003_.png'],
    two_nodes: ['9 images A_00001_.png', '12 images B_00001_.png'],
    preview: ['2 images ComfyUI_temp_krabl_00001_.png', '2 images ComfyUI_temp_krabl_00002_.png'],
    preview_and_saved: ['3 images P_00001_.png'],
    mask: ['2 images ComfyUI_temp_dpngz_00001_.png'],
    compare: [
      '3 a_images comfy.compare.a_temp_ujqfc_00001_.png',
      '3 b_images comfy.compare.b_temp_ujqfc_00001_.png',
    ],
    flac: ['2 audio A_00001.flac'],
    preview_audio: ['2 audio ComfyUI_temp_kousd_00001.flac'],
    mp4: ['3 images V_00001_.mp4'],
    webm: ['2 images W_00001_.webm'],
    apng: ['3 images An_00003_.png'],
    text: ['2 text hello, wörld'],
    save_text: ['2 text {"a": 1}', '2 files T_00001.json'],
    save_text_empty: ['2 text ', '2 files T_00002.txt'],
    latent: ['2 latents L_00001_.latent'],
    everything: [
      '2 images E_00002_.png',
      '2 images E_00003_.png',
      '4 audio E_00001.flac',
      '5 text note',
      '8 images E_00004_.mp4',
    ],
  };

  it.each(Object.entries(expected))('%s', (name, wanted) => {
    const outcome = outcomeOf(entries[name]!);
    expect(outcome.kind).toBe('outputs');
    const outputs = outcome.kind === 'outputs' ? outcome.outputs : [];
    expect(
      outputs.map((one) => [one.node, one.key, 'text' in one ? one.text : one.filename].join(' ')),
    ).toEqual(wanted);
  });
});

it('a file that two keys or two nodes list is one output', () => {
  const outputs = {
    '9': { images: [own('a.mp4')], gifs: [{ ...own('a.mp4'), format: 'video/h264-mp4' }] },
    '10': { images: [own('a.mp4'), { ...own('a.mp4'), subfolder: 'x' }] },
  };
  expect(namesOf(outcomeOf(ended(outputs, 'success', RUN)))).toEqual(['a.mp4', 'a.mp4']);
});

it('a text that ComfyUI took apart into characters is one again', () => {
  const text = (shown: unknown) => namesOf(outcomeOf(ended({ '9': { text: shown } })));
  expect(text(Array.from('abc 🦊'))).toEqual(['abc 🦊']);
  expect(text('abc')).toEqual(['abc']);
  expect(text([['a list'], ['in a list']])).toEqual(['a list', 'in a list']);
  expect(text(['a'])).toEqual(['a']);
  expect(text(['a', 'bc'])).toEqual(['a', 'bc']);
});

it('a viewer of models lists a path: of what this attempt saved, or of what is shown where nothing was saved', () => {
  const viewer = (path: string) => ({ result: [path, { position: 1 }, 'temp/bg_1.png'] });
  const shown = (outputs: Entry['outputs']) => namesOf(outcomeFor(ended(outputs, 'success', RUN), 'ab12_1'));
  expect(shown({ '9': viewer('preview3d_0f.glb') })).toEqual(['preview3d_0f.glb']);
  expect(shown({ '9': viewer('preview3d_0f.glb'), '10': { images: [own('a.png')] } })).toEqual(['a.png']);
  expect(shown({ '9': viewer('3d/C_ab12_1_00001.glb'), '10': { images: [own('a.png')] } })).toEqual([
    'C_ab12_1_00001.glb',
    'a.png',
  ]);
  expect(outcomeOf(ended({ '9': viewer('3d\\x\\a.GLB') }, 'success', RUN))).toMatchObject({
    outputs: [{ filename: 'a.GLB', subfolder: '3d/x', type: 'output', key: 'result' }],
  });
  for (const path of ['/etc/a.glb', 'C:\\a.glb', 'a.glb [input]'])
    expect(outcomeOf(ended({ '9': viewer(path) }, 'success', RUN))).toMatchObject({ kind: 'failed' });
});

it('the order is that of the graph, whatever order ComfyUI answers in', () => {
  const outputs = Object.fromEntries(
    ['12:10', '9', '12:6', '100'].map((id) => [id, { images: [null, own(`of ${id}.png`)] }]),
  );
  const outcome = outcomeOf(ended(outputs, 'success', RUN));
  expect(outcome.kind === 'outputs' && outcome.outputs.map(({ node }) => node)).toEqual([
    '9',
    '12:6',
    '12:10',
    '100',
  ]);
});

it('a file of an entry without a type is an output, as for ComfyUI itself', () => {
  const outputs = { '9': { images: [{ filename: 'a.png', subfolder: '' }] } };
  expect(outcomeOf(ended(outputs, 'success', RUN))).toMatchObject({ kind: 'outputs' });
});

it('more images than a job may have are refused at once', () => {
  const many = Array.from({ length: 4096 }, (_, index) => own(`${index}.png`));
  expect(outcomeOf(ended({ '9': { images: many } }, 'success', RUN))).toEqual({
    kind: 'failed',
    failure: { code: 'too_many_outputs', message: 'The workflow has 4096 outputs; a job may have 1000' },
  });
});

describe('whose a file is', () => {
  const stamped = (path: string) => outcomeFor(ended({ '9': { images: [own(path)] } }), 'ab12_1');

  it('is known by the stamp of the attempt, in its name or its folder', () => {
    expect(stamped('Cat_ab12_1_00001_.png')).toMatchObject({ outputs: [{ own: 'stamped' }] });
    const folder = { '9': { images: [{ ...own('bar_00001_.png'), subfolder: 'ab12_1_foo' }] } };
    expect(outcomeFor(ended(folder), 'ab12_1')).toMatchObject({ outputs: [{ own: 'stamped' }] });
    expect(stamped('Cat_ab12_11_00001_.png')).toMatchObject({ failure: { code: 'output_not_own' } });
  });

  it('is known by the time of the run where a name is fixed', () => {
    expect(outcomeFor(ended({ '9': { images: [own('x.png')] } }, 'success', RUN), 'ab12_1')).toMatchObject({
      outputs: [{ own: { from: 1000, to: 2000 } }],
    });
  });

  it('is not this attempt’s where ComfyUI took the node from its cache', () => {
    const messages: Entry['status']['messages'] = [
      RUN[0]!,
      ['execution_cached', { nodes: ['9'], timestamp: 1001 }],
      RUN[1]!,
    ];
    expect(outcomeOf(ended({ '9': { images: [own('x.png')] } }, 'success', messages))).toMatchObject({
      failure: {
        code: 'output_not_own',
        message: 'Node 9 reported a file of an earlier run: x.png',
      },
    });
  });
});

it('files of several nodes come together, previews left out', () => {
  const outputs = {
    '9': { images: [{ filename: 'a.png', subfolder: 'x', type: 'output' }] },
    '10': { images: [{ filename: 'p.png', subfolder: '', type: 'temp' }] },
    '11': { images: [{ filename: 'b.png', type: 'output' }], animated: [false] },
  };
  expect(outcomeOf(ended(outputs, 'success', RUN))).toMatchObject({
    kind: 'outputs',
    outputs: [
      { node: '9', filename: 'a.png', subfolder: 'x', type: 'output' },
      { node: '11', filename: 'b.png', subfolder: '', type: 'output' },
    ],
  });
});

describe('a reason', () => {
  it('is cut where it is long, and trimmed', () => {
    const outcome = failure('RuntimeError', `${'x'.repeat(5000)}\n`);
    expect(outcome.kind === 'failed' && outcome.failure.message).toHaveLength(500);
    expect(failure('RuntimeError', 'CUDA out of memory\n')).toMatchObject({
      failure: { message: 'KSampler (node 8) failed: RuntimeError: CUDA out of memory' },
    });
  });

  it('is there even when ComfyUI says little', () => {
    expect(outcomeOf(ended({}, 'error', [['execution_error', {}]]))).toMatchObject({
      failure: { message: 'unknown (node unknown) failed: unknown: unknown' },
    });
  });

  it.each([
    ["cannot open '/mnt/my disk/ComfyUI/input/x.png'", "cannot open 'x.png'"],
    ['cannot open "C:/Users/Ann Lee/ComfyUI/x.png"', 'cannot open "x.png"'],
    ['cannot open C:/ComfyUI/input/x.png now', 'cannot open x.png now'],
    ['see file:///opt/ComfyUI/x.png', 'see x.png'],
    ['on \\\\server\\share\\x.png', 'on x.png'],
    ['path:/opt/ComfyUI/x.png', 'path:x.png'],
    ['cannot open /home/anna b/My Models/x.png now', 'cannot open x.png now'],
    ['cannot open C:\\Program Files\\Comfy UI\\x.png now', 'cannot open x.png now'],
    ['/data/x.png and /data/y.png differ', 'x.png and y.png differ'],
    ['took 1 / 2 of a/b and c', 'took 1 / 2 of a/b and c'],
    ["cannot open '/opt/ComfyUI/input/x.png'", "cannot open 'x.png'"],
    ['File "/home/anna/main.py", line 3', 'File "main.py", line 3'],
    ['C:\\Users\\anna\\x.png is gone', 'x.png is gone'],
    ['see https://pytorch.org/docs/stable', 'see https://pytorch.org/docs/stable'],
    ['shape 3/4 and a/b', 'shape 3/4 and a/b'],
    ['at (/opt/a/b.py)', 'at (b.py)'],
  ])('%j is shown as %j', (message, shown) => {
    expect(withoutPaths(message)).toBe(shown);
  });
});

it.each(['success', 'success-batch', 'node-error', 'interrupted'])(
  '%s: how long ComfyUI worked, by its own clock',
  (name) => {
    const entry = recorded(name);
    const at = (index: number) => Number(entry.status.messages.at(index)![1]['timestamp']);
    expect(ranFor(entry)).toBe(at(-1) - at(0));
    expect(ranFor(entry)).toBeGreaterThan(0);
  },
);

it('a history that says no times says no duration', () => {
  expect(ranFor(ended({}, 'success', [['execution_success', { timestamp: 5 }]]))).toBeUndefined();
  expect(ranFor(ended({}, 'success', [['execution_start', {}]]))).toBeUndefined();
});
