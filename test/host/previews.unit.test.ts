// Previews are passed on only while someone listens, of the running prompt, and at most two a second.

import { beforeEach, expect, test } from 'vitest';
import { previewFrame } from '../../functions/comfyui/preview-frames.ts';
import { createLive, type Live } from '../../functions/core/live.ts';
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
