// What a queued job waits for: every code, with its phrase, its detail and its seconds.

import { expect, test } from 'vitest';
import { WAITING_CODES } from '../../functions/api/answers/jobs.ts';
import type { Estimate } from '../../functions/core/estimate.ts';
import { type Waiting, waitForHost, type WaitingCode, waitOfState } from '../../functions/core/waiting.ts';
import { NOW, STATES } from './job-states.ts';

const { waiting, held } = STATES;
const { jobId } = waiting;
const estimate = (more: Partial<Estimate> = {}): Estimate => ({
  ready: 0,
  busyOtherwise: 0,
  startingIn: [],
  secondsPerJob: 30,
  held: 0,
  ...more,
});
const blocked = { reason: 'the quota is 0' };
const trouble = 'comfyui_stuck: it has not moved for 2 min';
const unrunnable = new Set([jobId]);
const missing = { node: '1', class_type: 'NoOneHasThis', field: null, value: null, hosts: [] };

/** The phrases are an interface: people's programs read them. */
const EVERY: Record<WaitingCode, [Waiting | undefined, Omit<Waiting, 'code'>][]> = {
  comfyui_turn: [[waitOfState(held, 'real', NOW), { phrase: 'its turn in ComfyUI' }]],
  comfyui_kind: [
    [
      waitOfState({ ...waiting, acceptedFor: 'real' }, 'simulated', NOW),
      { phrase: 'a real ComfyUI, which it was accepted for: this one is simulated' },
    ],
  ],
  retry: [
    [
      waitOfState({ ...waiting, retryAt: NOW + 1001 }, 'real', NOW),
      { phrase: 'its next try, in 2 s: a ComfyUI that took it gave it back', seconds: 2 },
    ],
  ],
  free_slot: [
    [waitForHost(estimate({ ready: 1 }), jobId), { phrase: 'a free slot' }],
    [
      waitForHost(estimate({ ready: 1, blocked, trouble, startingIn: [7] }), jobId),
      { phrase: 'a free slot' },
    ],
    [waitForHost(estimate({ ready: 1, unrunnable }), 'another'), { phrase: 'a free slot' }],
  ],
  host_starting: [
    [waitForHost(estimate({ startingIn: [39.2, 100] }), jobId), { phrase: 'gpu host starting', seconds: 40 }],
    [waitForHost(estimate({ startingIn: [0] }), jobId), { phrase: 'gpu host starting', seconds: 0 }],
    [
      waitForHost(estimate({ busyOtherwise: 1, trouble, startingIn: [10] }), jobId),
      { phrase: 'gpu host starting', seconds: 10 },
    ],
  ],
  host_blocked: [
    [
      waitForHost(estimate({ blocked }), jobId),
      { phrase: 'no gpu host can be started: the quota is 0', detail: 'the quota is 0' },
    ],
  ],
  comfyui_silent: [[waitForHost(estimate({ busyOtherwise: 1 }), jobId), { phrase: 'ComfyUI to answer' }]],
  comfyui_trouble: [
    [
      waitForHost(estimate({ busyOtherwise: 1, trouble }), jobId),
      { phrase: `ComfyUI to run jobs again: ${trouble}`, detail: trouble },
    ],
  ],
  missing_requirements: [
    [
      waitForHost(estimate({ ready: 1, unrunnable }), jobId, [missing]),
      { phrase: 'a gpu host with the node class NoOneHasThis for node 1 (no host has it)' },
    ],
    [
      waitForHost(estimate({ unrunnable }), jobId),
      { phrase: 'a gpu host with its models and nodes: each host so far misses one' },
    ],
  ],
};

test('the API describes each of them', () => {
  expect(new Set<string>(WAITING_CODES)).toEqual(new Set(Object.keys(EVERY)));
});

test.each(WAITING_CODES)('%s', (code) => {
  expect(EVERY[code].length).toBeGreaterThan(0);
  for (const [found, expected] of EVERY[code]) expect(found).toEqual({ code, ...expected });
});

test('a job that no host holds and that may be claimed waits for a host', () => {
  expect(waitOfState(waiting, 'real', NOW)).toBeUndefined();
  expect(waitOfState({ ...waiting, acceptedFor: 'real' }, 'real', NOW)).toBeUndefined();
  expect(waitOfState({ ...waiting, acceptedFor: 'real' }, undefined, NOW)).toBeUndefined();
  expect(waitOfState({ ...waiting, retryAt: NOW }, 'real', NOW)).toBeUndefined();
});
