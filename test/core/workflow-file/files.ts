// Canvas files for tests, as ComfyUI's page writes them, and node classes for them.

import type { ObjectInfo } from '../../../functions/core/object-info.ts';

export const INFO: ObjectInfo = {
  Loader: {
    input: { required: { name: [['a.safetensors', 'b.safetensors'], {}] } },
    output: ['MODEL', 'CLIP'],
  },
  Encode: {
    input: { required: { text: ['STRING', { multiline: true, dynamicPrompts: true }], clip: ['CLIP'] } },
    output: ['CONDITIONING'],
  },
  Sample: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { default: 0, min: 0, max: 18446744073709551615n, control_after_generate: true }],
        steps: ['INT', { default: 20, min: 1, max: 10000 }],
        cfg: ['FLOAT', { default: 8, min: 0, max: 100 }],
        sampler: ['COMBO', { options: ['euler', 'dpm'] }],
        positive: ['CONDITIONING'],
        negative: ['CONDITIONING'],
        latent: ['LATENT'],
      },
      optional: { picture: ['IMAGE'] },
    },
    output: ['LATENT'],
  },
  Latent: {
    input: {
      required: {
        width: ['INT', { default: 512, min: 16, max: 16384, step: 8 }],
        height: ['INT', { default: 512, min: 16, max: 16384, step: 8 }],
      },
    },
    output: ['LATENT'],
  },
  Adapt: {
    input: { required: { model: ['MODEL'], strength: ['FLOAT', { default: 1, min: -10, max: 10 }] } },
    output: ['MODEL'],
  },
  Keyed: {
    input: {
      required: {
        mode: [
          'COMFY_DYNAMICCOMBO_V3',
          {
            options: [
              { key: 'by factor', inputs: { required: { factor: ['FLOAT', { default: 2 }] } } },
              { key: 'by size', inputs: { required: { w: ['INT', {}], h: ['INT', {}] } } },
            ],
          },
        ],
        last: ['BOOLEAN', { default: false }],
      },
    },
    output: ['LATENT'],
  },
  Number: {
    input: { required: { value: ['INT', { default: 1 }] } },
    output: ['INT'],
    display_name: 'A number',
  },
  Switch: {
    input: { required: { on_true: ['INT'], on_false: ['INT'], switch: ['BOOLEAN'] } },
    output: ['INT'],
  },
  Sing: {
    input: {
      required: { tags: ['STRING', { multiline: true }], lyrics: ['STRING', { multiline: true }] },
    },
    output: ['CONDITIONING'],
  },
  Sound: {
    input: { required: { audio: ['COMBO', { options: [], audio_upload: true }] } },
    output: ['AUDIO'],
  },
  Film: { input: { required: { file: ['COMBO', { options: [], video_upload: true }] } }, output: ['VIDEO'] },
  Model: {
    input: { required: { model_file: ['COMBO', { options: ['none'], file_upload: true }] } },
    output: ['MESH'],
  },
  Draw: { input: { required: { mask: ['STRING', { image_upload: true }] } }, output: ['MASK'] },
  Record: { input: { required: { audio: ['AUDIO_RECORD', {}] } }, output: ['AUDIO'] },
  Picture: {
    input: { required: { image: [['example.png'], { image_upload: true }] } },
    output: ['IMAGE', 'MASK'],
  },
  Save: {
    input: { required: { latent: ['LATENT'], filename_prefix: ['STRING', { default: 'ComfyUI' }] } },
    output: [],
    output_node: true,
  },
};

type Row = [id: number, from: number, slot: number, to: number, slot: number, type: string];
interface Node {
  id: number | string;
  type: string;
  inputs?: unknown[];
  outputs?: unknown[];
  [key: string]: unknown;
}

/** Format 0.4: links are lists. */
export function canvas(nodes: readonly Node[], links: readonly Row[], more: object = {}) {
  return { id: 'a', version: 0.4, nodes, links, groups: [], config: {}, extra: {}, ...more };
}

export const takes = (name: string, type: string, link: number | null = null, more: object = {}) => ({
  name,
  type,
  link,
  ...more,
});
/** A field that can be linked too. */
export const field = (name: string, type: string, link: number | null = null) =>
  takes(name, type, link, { widget: { name } });
export const gives = (type: string, ...links: number[]) => ({ name: type, type, links });

/** A whole picture: loader 1, texts 2 and 3, size 4, sampler 5, save 6. */
export function textToPicture() {
  const nodes: Node[] = [
    {
      id: 1,
      type: 'Loader',
      outputs: [gives('MODEL', 1), gives('CLIP', 2, 3)],
      widgets_values: ['a.safetensors'],
    },
    {
      id: 2,
      type: 'Encode',
      title: 'What to see',
      inputs: [takes('clip', 'CLIP', 2)],
      outputs: [gives('CONDITIONING', 4)],
      widgets_values: ['a red fox'],
    },
    {
      id: 3,
      type: 'Encode',
      inputs: [takes('clip', 'CLIP', 3)],
      outputs: [gives('CONDITIONING', 5)],
      widgets_values: ['blurry'],
    },
    { id: 4, type: 'Latent', outputs: [gives('LATENT', 6)], widgets_values: [1024, 768] },
    {
      id: 5,
      type: 'Sample',
      inputs: [
        takes('model', 'MODEL', 1),
        takes('positive', 'CONDITIONING', 4),
        takes('negative', 'CONDITIONING', 5),
        takes('latent', 'LATENT', 6),
        takes('picture', 'IMAGE'),
      ],
      outputs: [gives('LATENT', 7)],
      widgets_values: [42, 'randomize', 8, 3.5, 'dpm'],
    },
    { id: 6, type: 'Save', inputs: [takes('latent', 'LATENT', 7)], widgets_values: ['Fox'] },
  ];
  const links: Row[] = [
    [1, 1, 0, 5, 0, 'MODEL'],
    [2, 1, 1, 2, 0, 'CLIP'],
    [3, 1, 1, 3, 0, 'CLIP'],
    [4, 2, 0, 5, 1, 'CONDITIONING'],
    [5, 3, 0, 5, 2, 'CONDITIONING'],
    [6, 4, 0, 5, 3, 'LATENT'],
    [7, 5, 0, 6, 0, 'LATENT'],
  ];
  return { nodes, links };
}

export const link = (
  id: number,
  from: number,
  slot: number,
  to: number,
  targetSlot: number,
  type: string,
) => ({
  id,
  origin_id: from,
  origin_slot: slot,
  target_id: to,
  target_slot: targetSlot,
  type,
});

export const bytesOf = (file: unknown) => new TextEncoder().encode(JSON.stringify(file));
