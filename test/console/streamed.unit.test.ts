// Which jobs of a tab are followed by events.

import { expect, test } from 'vitest';
import { type Open, streamed } from '../../console/state/streamed.ts';

const VIEWS: Record<string, Open['view']> = {
  '?': undefined,
  w: { status: 'queued', waiting_code: 'free_slot' },
  h: { status: 'queued', waiting_code: 'comfyui_turn' },
  p: { status: 'processing', waiting_code: null },
};

/** Oldest first: `p1 h2 w3`. */
const jobs = (text: string): Open[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((key) => ({ key, view: VIEWS[key.charAt(0)] }));

test.each([
  ['of those that wait, the oldest', '?1 ?2 ?3 ?4', '', '?1 ?2'],
  ['they stay while nothing is nearer', 'w1 w2 w3', 'w2 w3', 'w2 w3'],
  ['what runs takes it from what waits', 'w1 w2 p3', 'w1 w2', 'p3 w1'],
  ['what a host holds, too', 'w1 h2 w3 p4', 'w1 w3', 'p4 h2'],
  ['never among those that run', 'p1 p2 p3 h4', 'p2 p3', 'p2 p3'],
  ['the one that ended leaves its own to the next', 'p2 h3 w4', 'p2', 'p2 h3'],
  ['what came back to the queue gives it up', 'w1 p2 p3', 'w1 p2', 'p2 p3'],
  ['an only one', 'w1', 'w1', 'w1'],
  ['none', '', 'w1', ''],
])('%s', (_, open, has, wanted) => {
  const keys = (text: string) => text.split(' ').filter(Boolean);
  expect(streamed(jobs(open), new Set(keys(has)))).toEqual(keys(wanted));
});
