// One number over the whole graph, from events that may come twice, out of order, or not at all.

import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../functions/core/object-info.ts';
import { type ProgressEvent, trackProgress } from '../../functions/core/progress.ts';
import { shipped } from './templates.ts';

const node = (inputs: Record<string, unknown> = {}) => ({ class_type: 'X', inputs });
/** 1 and 3 weigh 1, 2 weighs 8: ten in all. */
const GRAPH: Graph = { '1': node(), '2': node({ steps: 8 }), '3': node() };
const step = (value: number, max = 8, of = '2'): ProgressEvent => ({
  type: 'progress',
  data: { node: of, value, max },
});
const executing = (of: string | null): ProgressEvent => ({ type: 'executing', data: { node: of } });
const round = (value: number) => Math.round(value * 1e4) / 1e4;
const after = (events: ProgressEvent[], graph = GRAPH) => {
  const tracker = trackProgress(graph);
  for (const event of events) tracker.observe(event);
  return tracker.current();
};

it('starts at nothing', () => {
  expect(after([])).toEqual({ progress: 0, currentStep: 0, totalSteps: 0 });
});

it("counts a sampler's node as many times as it has steps", () => {
  const way = [executing('1'), executing('2'), step(4), step(8), executing('3')];
  expect(way.map((_, n) => after(way.slice(0, n + 1)).progress)).toEqual([0, 0.1, 0.5, 0.9, 0.9]);
  expect(after(way)).toMatchObject({ currentStep: 8, totalSteps: 8 });
});

it('names the node that runs, if its name is short', () => {
  expect(after([executing('1'), executing('2')]).node).toBe('2');
  expect(after([executing('2'), executing(null)])).not.toHaveProperty('node');
  expect(after([executing('x'.repeat(65))])).not.toHaveProperty('node');
  expect(after([executing(['1'] as unknown as string)])).not.toHaveProperty('node');
});

it('keeps 1 for "its images are in the bucket"', () => {
  expect(after([step(8), executing('1'), executing('3'), executing(null)]).progress).toBe(0.9999);
});

it('counts what was cached, and what a state says', () => {
  expect(after([{ type: 'execution_cached', data: { nodes: ['1', '2'] } }]).progress).toBe(0.9);
  const nodes = { '1': { value: 0, max: 1, state: 'finished' }, '2': { value: 2, max: 8, state: 'running' } };
  expect(after([{ type: 'progress_state', data: { nodes } }]).progress).toBe(0.3);
});

it('ignores nodes that the graph does not have', () => {
  const nodes = { x: { value: 1, max: 1, state: 'finished' } };
  expect(
    after([step(1, 1, 'y'), executing('z'), executing(null), { type: 'progress_state', data: { nodes } }])
      .progress,
  ).toBe(0);
});

it("shows the running sampler's steps, not another node's", () => {
  expect(after([step(3, 8), step(50, 100, '3')])).toMatchObject({ currentStep: 3, totalSteps: 8 });
  expect(after([step(50, 100, '3')], { '3': node() })).toMatchObject({ currentStep: 50, totalSteps: 100 });
});

describe('a sampler that takes its steps from a scheduler', () => {
  const graph: Graph = {
    '1': node(),
    '2': { class_type: 'Flux2Scheduler', inputs: { steps: 8 } },
    '3': { class_type: 'SplitSigmas', inputs: { sigmas: ['2', 0] } },
    '4': { class_type: 'SamplerCustomAdvanced', inputs: { sigmas: ['3', 1], guider: ['1', 0] } },
  };

  it('is what the time goes into, and whose steps are shown', () => {
    const way = [executing('1'), executing('2'), executing('3'), executing('4')];
    expect(after(way, graph).progress).toBe(round(3 / 11));
    expect(after([...way, step(4, 8, '4')], graph)).toEqual({
      node: '4',
      progress: round(7 / 11),
      currentStep: 4,
      totalSteps: 8,
    });
  });

  it('counts as any node when the sigmas come from nowhere', () => {
    const loop: Graph = { '1': node({ sigmas: ['1', 0] }), '2': node({ sigmas: ['9', 0] }), '3': node() };
    expect(after([executing('3'), executing(null)], loop).progress).toBe(round(1 / 3));
  });
});

it('goes on where an adopted attempt was', () => {
  const tracker = trackProgress(GRAPH, { progress: 0.6, currentStep: 5, totalSteps: 8 });
  expect(tracker.current()).toEqual({ progress: 0.6, currentStep: 5, totalSteps: 8 });
  tracker.observe(step(2));
  expect(tracker.current().progress).toBe(0.6);
  tracker.observe(step(8));
  expect(tracker.current().progress).toBe(0.8);
});

it('runs over both samplers of the upscaling workflow, and never backwards', () => {
  const { graph } = shipped('flux2_turbo_upscale');
  const tracker = trackProgress(graph);
  const seen: number[] = [];
  for (const [sampler, from] of [
    ['8', 1],
    ['14', 1],
  ] as const)
    for (let value = from; value <= 25; value += 1) {
      tracker.observe(step(value, 25, sampler));
      seen.push(tracker.current().progress);
      expect(tracker.current()).toMatchObject({ currentStep: value, totalSteps: 25 });
    }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen[24]).toBeGreaterThan(0.35);
  expect(seen[24]).toBeLessThan(0.5);
  expect(new Set(seen).size).toBe(50);
});

describe('what a real ComfyUI sent', () => {
  it.each(['success', 'success-batch', 'success-cached', 'slow-node'])('%s: rises to its end', (name) => {
    const trace = JSON.parse(readFileSync(new URL(`../traces/${name}.json`, import.meta.url), 'utf8')) as {
      request: { 'POST /prompt': { prompt: Graph } };
      events: [number, ProgressEvent][];
    };
    const tracker = trackProgress(trace.request['POST /prompt'].prompt);
    let last = 0;
    for (const [, event] of trace.events) {
      if (!event.type) continue;
      tracker.observe(event);
      const { progress } = tracker.current();
      expect(progress).toBeGreaterThanOrEqual(last);
      last = progress;
    }
    expect(last).toBe(0.9999);
  });
});

it('never falls, stays below 1 and is a number of four decimals, whatever comes', () => {
  const id = fc.constantFrom('1', '2', '3', '4', '__proto__');
  const number = fc.oneof(
    fc.integer({ min: -5, max: 20 }),
    fc.double(),
    fc.constant(undefined as unknown as number),
  );
  const event: fc.Arbitrary<ProgressEvent> = fc.oneof(
    fc.array(id).map((nodes): ProgressEvent => ({ type: 'execution_cached', data: { nodes } })),
    fc.option(id).map(executing),
    fc.tuple(number, number, id).map(([value, max, of]) => step(value, max, of)),
    fc
      .dictionary(
        id,
        fc.record({ value: number, max: number, state: fc.constantFrom('running', 'finished', 'pending') }),
      )
      .map((nodes): ProgressEvent => ({ type: 'progress_state', data: { nodes } })),
  );
  const property = fc.property(fc.array(event, { maxLength: 40 }), (events) => {
    const tracker = trackProgress(GRAPH);
    let last = 0;
    for (const one of events) {
      tracker.observe(one);
      const { progress, currentStep, totalSteps } = tracker.current();
      expect(progress).toBeGreaterThanOrEqual(last);
      expect(progress).toBeLessThan(1);
      expect(String(progress)).toMatch(/^0(\.\d{1,4})?$/);
      expect(currentStep).toBeGreaterThanOrEqual(0);
      expect(totalSteps).toBeGreaterThanOrEqual(0);
      last = progress;
    }
  });
  fc.assert(property, { seed: 23, numRuns: 1000 });
});
