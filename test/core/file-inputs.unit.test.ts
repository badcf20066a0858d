// Which inputs of a graph name files.

import { expect, test } from 'vitest';
import { fileInputs, filesOfHosts } from '../../functions/core/file-inputs.ts';
import type { Graph, ObjectInfo } from '../../functions/core/object-info.ts';

const graphOf = (classType: string, inputs: Record<string, unknown>, id = '1'): Graph => ({
  [id]: { class_type: classType, inputs },
});

const HOST: ObjectInfo = {
  LoadImage: { input: { required: { image: [['there.png'], { image_upload: true }] } } },
  VideoOfOthers: {
    input: { required: { video: [['there.mp4'], {}], fps: [['8', '16'], {}], title: ['STRING', {}] } },
  },
  UNETLoader: { input: { required: { unet_name: [['model.safetensors'], {}] } } },
  Painter: { input: { required: { mask: ['STRING', { image_upload: true }] } } },
};

test.each([
  ['photo.png', { folder: 'input', path: 'photo.png' }],
  ['photo.png [input]', { folder: 'input', path: 'photo.png' }],
  ['a//b/../photo.png', { folder: 'input', path: 'a/photo.png' }],
  ['made.png [output]', { folder: 'output', path: 'made.png' }],
  ['painted.png [temp]', { folder: 'temp', path: 'painted.png' }],
  ['no extension', { folder: 'input', path: 'no extension' }],
])('a loader of ComfyUI’s reads %s, whatever is known of the hosts', (image, file) => {
  for (const hosts of [[], [HOST]])
    expect(fileInputs(graphOf('LoadImage', { image }), hosts)).toEqual([
      { node: '1', field: 'image', ...file },
    ]);
});

test.each([
  [graphOf('LoadImage', { image: '../photo.png' })],
  [graphOf('LoadImage', { image: '' })],
  [graphOf('LoadImage', { image: ['2', 0] })],
  [graphOf('LoadImage', { channel: 'photo.png' })],
  [graphOf('LoadImage', { image: 'photo.png' }, '12.5')],
  [graphOf('VideoOfOthers', { video: 'there.mp4', fps: '24', title: 'photo.png' })],
  [graphOf('UNETLoader', { unet_name: 'model.safetensors' })],
  [graphOf('Unknown', { image: 'photo.png' })],
  [{ '1': { class_type: 'LoadImage' } } as unknown as Graph],
])('no file: %j', (graph) => {
  expect(fileInputs(graph, [HOST])).toEqual([]);
});

test('what is declared to be uploaded, and a file name that a list does not have', () => {
  expect(fileInputs(graphOf('Painter', { mask: 'painter/m.png [input]' }), [HOST])).toMatchObject([
    { field: 'mask', path: 'painter/m.png' },
  ]);
  expect(fileInputs(graphOf('VideoOfOthers', { video: 'mine.mp4' }), [HOST])).toMatchObject([
    { field: 'video', path: 'mine.mp4' },
  ]);
});

test('the hosts’ own files are those that their loaders list', () => {
  expect([...filesOfHosts([HOST, {}])]).toEqual(['there.png']);
});
