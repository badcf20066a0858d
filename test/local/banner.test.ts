// What `npm start` says of templates of one's own. Source: docs/reports.md.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTemplate, type Template } from '../../functions/core/template.ts';
import type { LocalStack } from '../../functions/local/local-stack.ts';
import { addressesOf, bannerOf } from '../../functions/local/banner.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { shipped } from '../core/templates.ts';

const echo = promisify(execFile);

let comfyui: SimulatedComfyUI;
beforeAll(async () => {
  comfyui = await startSimulatedComfyUI({ stepMs: 1 });
});
afterAll(() => comfyui.close());

const save = { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Own' } };
const own = (name: string, first: object, inputs: Record<string, unknown>): Template =>
  parseTemplate(name, { '1': { inputs: {}, ...first }, '2': save }, { title: name, inputs });
const plain = own(
  'plain',
  { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  {
    side: { type: 'integer', required: true, minimum: 64, to: ['1.width', '1.height'] },
    note: { type: 'string', required: true, default: "a cat's" },
  },
);
const loading = own(
  'loading',
  { class_type: 'LoadImage', inputs: { image: 'x.png' } },
  {
    image: { type: 'image', required: true, to: '1.image' },
  },
);
const absent = own('absent', { class_type: 'NobodyHasThis' }, {});

async function banner(
  templates: Template[],
  keys: 'none' | 'required' = 'none',
  firstKey?: string,
  simulated = true,
  wireUrl?: string,
): Promise<string> {
  const localStack: LocalStack = {
    url: 'http://127.0.0.1:5000',
    wireUrl,
    comfyuis: Promise.resolve([
      {
        url: comfyui.url,
        headers: {},
        kind: 'simulated',
        simulated,
        answers: true,
        stop: () => Promise.resolve(),
      },
    ]),
    templates: new Map(templates.map((template) => [template.name, template])),
    directory: '/data',
    firstKey,
    stop: () => Promise.resolve(),
  };
  const settings = { API_HOST: '127.0.0.1', API_KEYS: keys };
  return addressesOf(localStack, settings) + (await bannerOf(localStack, settings));
}
/** As a shell takes them apart. */
async function commands(text: string): Promise<string[][]> {
  const lines = text.split('\n').filter((line) => line.startsWith('  curl '));
  return Promise.all(
    lines.map(async (line) => {
      const words = line.trim().replace(/^curl/, `for w in`);
      const { stdout } = await echo('bash', ['-c', `${words}; do printf '%s\\n' "$w"; done`]);
      return stdout.trimEnd().split('\n');
    }),
  );
}

test('the example is of a template that is there, with what it needs', async () => {
  const [post, ...others] = await commands(await banner([plain, loading]));
  expect(others).toEqual([]);
  expect(post).toContain('http://127.0.0.1:5000/api/generate');
  expect(JSON.parse(post!.at(-1)!)).toEqual({ side: 64, note: "a cat's" });
});

test('of several it is the first that needs no image and lacks nothing', async () => {
  const [post] = await commands(await banner([absent, loading, plain]));
  expect(JSON.parse(post!.at(-1)!)).toEqual({ workflow: 'plain', side: 64, note: "a cat's" });
});

test('an image that it needs is uploaded first', async () => {
  const text = await banner([loading]);
  const [upload, post] = await commands(text);
  expect(upload).toEqual(['-F', 'image=@photo.png', 'http://127.0.0.1:5000/api/upload/image']);
  expect(JSON.parse(post!.at(-1)!)).toEqual({ image: '<name>' });
  expect(text).toMatch(/needs an image: .*answers with its name/);
});

test('where keys are asked for it has one', async () => {
  const [post] = await commands(await banner([plain], 'required', 'ck_first'));
  expect(post).toContain('Authorization: Bearer ck_first');
  expect(await banner([plain], 'required')).toContain("-H 'Authorization: Bearer <your key>'");
});

test('a simulated ComfyUI says what it lacks, node and class', async () => {
  expect(await banner([plain, absent])).toMatch(/^ {2}Missing +absent .*NobodyHasThis \(node 1\)$/m);
  const shippedOnes = ['flux2_turbo_default', 'flux2_turbo_controlnet', 'flux2_turbo_upscale'] as const;
  expect(await banner(shippedOnes.map(shipped))).not.toContain('Missing');
});

test('what ComfyUI would refuse of a template is said at the start, and the example is of another', async () => {
  const crooked = own('crooked', { class_type: 'EmptyImage', inputs: { width: 64 } }, {});
  const text = await banner([crooked, plain]);
  expect(text).toMatch(/^ {2}Wrong +crooked: node "1" \(EmptyImage\): "height" /m);
  const [post] = await commands(text);
  expect(JSON.parse(post!.at(-1)!)).toMatchObject({ workflow: 'plain' });
});

test('the address of ComfyUI’s wire stands beside the API’s, where it is served', async () => {
  const wireUrl = 'http://127.0.0.1:8288';
  expect(await banner([plain], 'none', undefined, true, wireUrl)).toContain(wireUrl);
  expect(await banner([plain])).not.toContain('ComfyUI API');
});
