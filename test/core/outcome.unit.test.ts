// What ComfyUI's history says became of a prompt, read from recordings of a real one.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { outcomeOf as outcomeFor, ranFor, withoutPaths } from '../../functions/core/outcome.ts';

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
    kind: 'images',
    images: [{ node: '11', filename: 'Flux2_Turbo_0001_00003_.png', subfolder: '', type: 'output' }],
    notes: [],
  });
});

it('a batch: every image, in its order', () => {
  const outcome = outcomeOf(recorded('success-batch'));
  expect(outcome.kind).toBe('images');
  const names = outcome.kind === 'images' ? outcome.images.map(({ filename }) => filename) : [];
  expect(names.length).toBeGreaterThan(1);
  expect(names).toEqual(names.toSorted());
});

it('a node that failed: the job failed, with the node and the reason, without paths', () => {
  const outcome = outcomeOf(recorded('node-error'));
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'node_failed' } });
  const message = outcome.kind === 'failed' ? outcome.failure.message : '';
  expect(message).toMatch(/^LoadImage \(node 1\) failed: PIL\.UnidentifiedImageError: .*broken\.png/);
  expect(message).not.toContain('/opt');
});

it('an interrupted prompt is lost, not failed', () => {
  expect(outcomeOf(recorded('interrupted'))).toEqual({
    kind: 'lost',
    reason: 'it was interrupted on the GPU host',
  });
});

it('an end without a saved image is a failure: previews and inputs are none', () => {
  const files = [
    { filename: 'a.png', subfolder: '', type: 'temp' },
    { filename: 'b.png', subfolder: '', type: 'input' },
    { subfolder: '', type: 'output' },
    { filename: 'c.mp4', subfolder: 'video', type: 'output' },
  ];
  const nothing: Entry['outputs'][] = [
    {},
    { '9': {} },
    { '9': { images: files } },
    { '9': { text: ['hello'], images: 'none' } },
  ];
  for (const outputs of nothing)
    expect(outcomeOf(ended(outputs))).toEqual({
      kind: 'failed',
      failure: {
        code: 'no_output',
        message: expect.stringMatching(/^The workflow ended without saving a PNG, JPEG or WebP image/),
      },
    });
});

it('what is no image is not dropped without a word', () => {
  const video = { filename: 'c.mp4', subfolder: 'video', type: 'output' };
  const said = 'c.mp4 of node 9 is not published: it is no PNG, JPEG or WebP image';
  expect(outcomeOf(ended({ '9': { gifs: [video] } }))).toMatchObject({
    failure: { message: expect.stringMatching(new RegExp(`; ${said}$`)) as string },
  });
  const both = { '9': { images: [video, own('a.png')] } };
  expect(outcomeOf(ended(both, 'success', RUN))).toMatchObject({ kind: 'images', notes: [said] });
});

it('the order is that of the graph, whatever order ComfyUI answers in', () => {
  const outputs = Object.fromEntries(
    ['12:10', '9', '12:6', '100'].map((id) => [id, { images: [null, own(`of ${id}.png`)] }]),
  );
  const outcome = outcomeOf(ended(outputs, 'success', RUN));
  const nodes = outcome.kind === 'images' ? outcome.images.map(({ node }) => node) : outcome;
  expect(nodes).toEqual(['9', '12:6', '12:10', '100']);
});

it('a file of an entry without a type is an output, as for ComfyUI itself', () => {
  const outputs = { '9': { images: [{ filename: 'a.png', subfolder: '' }] } };
  expect(outcomeOf(ended(outputs, 'success', RUN))).toMatchObject({ kind: 'images' });
});

it('more images than a job may have are refused at once', () => {
  const many = Array.from({ length: 4096 }, (_, index) => own(`${index}.png`));
  expect(outcomeOf(ended({ '9': { images: many } }, 'success', RUN))).toEqual({
    kind: 'failed',
    failure: { code: 'too_many_outputs', message: 'The workflow saved 4096 images; a job may have 1000' },
  });
});

describe('whose a file is', () => {
  const stamped = (path: string) => outcomeFor(ended({ '9': { images: [own(path)] } }), 'ab12_1');

  it('is known by the stamp of the attempt, in its name or its folder', () => {
    expect(stamped('Cat_ab12_1_00001_.png')).toMatchObject({ images: [{ own: 'stamped' }] });
    const folder = { '9': { images: [{ ...own('bar_00001_.png'), subfolder: 'ab12_1_foo' }] } };
    expect(outcomeFor(ended(folder), 'ab12_1')).toMatchObject({ images: [{ own: 'stamped' }] });
    expect(stamped('Cat_ab12_11_00001_.png')).toMatchObject({ failure: { code: 'output_not_own' } });
  });

  it('is known by the time of the run where a name is fixed', () => {
    expect(outcomeFor(ended({ '9': { images: [own('x.png')] } }, 'success', RUN), 'ab12_1')).toMatchObject({
      images: [{ own: { from: 1000, to: 2000 } }],
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

it('images of several nodes come together, previews left out', () => {
  const outputs = {
    '9': { images: [{ filename: 'a.png', subfolder: 'x', type: 'output' }] },
    '10': { images: [{ filename: 'p.png', subfolder: '', type: 'temp' }] },
    '11': { images: [{ filename: 'b.png', type: 'output' }], animated: [false] },
  };
  expect(outcomeOf(ended(outputs, 'success', RUN))).toMatchObject({
    kind: 'images',
    images: [
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
