// Previews are passed on only while someone listens, of the running prompt, and at most two a second.

import { beforeEach, expect, test } from 'vitest';
import { previewFrame } from '../../functions/comfyui/preview-frames.ts';
import type { ComfyUIEvent } from '../../functions/comfyui/events.ts';
import { createLive, type Live, type Preview } from '../../functions/core/live.ts';
import { createPreviews, type Previews } from '../../functions/host/prompts/previews.ts';

const preview = { node: '8', type: 'image/jpeg' as const, image: Buffer.from('image') };
const jobs = new Map([
  ['prompt-a', 'job-a'],
  ['prompt-b', 'job-b'],
]);

let live: Live;
let previews: Previews;
let now: number;
let shown: string[];
beforeEach(() => {
  live = createLive();
  now = 0;
  shown = [];
  previews = createPreviews(
    live,
    (promptId) => jobs.get(promptId),
    () => now,
  );
});

const listen = (jobId: string) => live.listen(jobId, () => shown.push(jobId));
const runs = (promptId: string) =>
  previews.observe({ type: 'execution_start', data: { prompt_id: promptId } });
const frame = (promptId: string, withMetadata = true) =>
  previews.frame(previewFrame(preview, promptId, withMetadata));

test('none before a prompt runs, and none that no client hears', () => {
  const end = listen('job-a');
  frame('prompt-a');
  expect(shown).toEqual([]);
  runs('prompt-a');
  frame('prompt-a');
  expect(shown).toEqual(['job-a']);
  end();
  expect(live.isHeard('job-a')).toBe(false);
  now = 1000;
  frame('prompt-a');
  expect(shown).toEqual(['job-a']);
});

test('a frame that nobody hears is not even looked into', () => {
  runs('prompt-a');
  const untouched = new Proxy(Buffer.alloc(0), {
    get: () => {
      throw new Error('it was read');
    },
  });
  previews.frame(untouched);
  listen('job-a');
  expect(() => previews.frame(untouched)).toThrow('it was read');
});

test.each<[string, ComfyUIEvent, boolean, Preview['step']]>([
  ['of the node, of 0.33', state({ 8: [3, 20], 9: [1, 2] }), true, { current: 3, total: 20 }],
  ['of a ComfyUI that names no node', progress('8', 4, 20), false, { current: 4, total: 20 }],
  ['of another node', progress('9', 4, 20), true, undefined],
  ['of no node that is known', state({ 9: [1, 2] }), true, undefined],
  ['before any', { type: 'execution_start', data: { prompt_id: 'prompt-a' } }, true, undefined],
  ['beyond the last', progress('8', 21, 20), true, undefined],
  ['half a one', progress('8', 1.5, 20), true, undefined],
  ['none at all', progress('8', 0, 20), true, undefined],
  ['no number', progress('8', '3' as unknown as number, 20), true, undefined],
])('its step, %s', (_, event, withMetadata, step) => {
  let seen: Preview | undefined;
  live.listen('job-a', (preview) => (seen = preview));
  previews.observe(event);
  frame('prompt-a', withMetadata);
  expect(seen).toMatchObject({ type: 'image/jpeg' });
  expect(seen?.step).toEqual(step);
});

function progress(node: string, value: number, max: number): ComfyUIEvent {
  return { type: 'progress', data: { prompt_id: 'prompt-a', node, value, max } };
}

function state(nodes: Record<string, [value: number, max: number]>): ComfyUIEvent {
  const entries = Object.entries(nodes).map(([node, [value, max]]) => [
    node,
    { value, max, state: 'running' },
  ]);
  return { type: 'progress_state', data: { prompt_id: 'prompt-a', nodes: Object.fromEntries(entries) } };
}

test('two a second of one job, and the next job’s first at once', () => {
  listen('job-a');
  listen('job-b');
  runs('prompt-a');
  for (now = 0; now < 2000; now += 50) frame('prompt-a');
  expect(shown).toEqual(Array.from({ length: 4 }, () => 'job-a'));
  runs('prompt-b');
  frame('prompt-b');
  expect(shown.at(-1)).toBe('job-b');
});

test('a frame without metadata is the running prompt’s; one that names another is left out', () => {
  listen('job-a');
  listen('job-b');
  runs('prompt-a');
  frame('prompt-b', false);
  now = 1000;
  frame('prompt-b');
  frame('of another client');
  expect(shown).toEqual(['job-a']);
});
