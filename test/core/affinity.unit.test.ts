// Which job a host takes next, and by a simulation how many loads of a model that saves and whom it makes wait.

import { describe, expect, it } from 'vitest';
import { type Candidate, choose, type Circumstances, modelsTagOf } from '../../functions/core/affinity.ts';
import { PASSED_OVER_AT_MOST } from '../../functions/core/limits.ts';
import type { Graph } from '../../functions/core/object-info.ts';
import { nextStartTag, virtualTimeOf } from '../../functions/core/start-tag.ts';

const graphOf = (...inputs: Record<string, unknown>[]): Graph =>
  Object.fromEntries(inputs.map((one, n) => [String(n), { class_type: 'Any', inputs: one }]));
const job = (jobId: string, models?: string): Candidate => ({ jobId, models });

describe('the tag of a graph', () => {
  const tag = modelsTagOf(graphOf({ ckpt_name: 'a.safetensors' }, { steps: 4 }));

  it('is that of its checkpoints, whatever is put upon them', () => {
    expect(tag).toMatch(/^[0-9a-f]{8}$/);
    expect(modelsTagOf(graphOf({ lora_name: 'x.safetensors' }, { ckpt_name: 'a.safetensors' }))).toBe(tag);
    expect(modelsTagOf(graphOf({ ckpt_name: 'b.safetensors' }))).not.toBe(tag);
    const two = [{ ckpt_name: 'a.safetensors' }, { unet_name: 'b.gguf' }];
    expect(modelsTagOf(graphOf(...two))).toBe(modelsTagOf(graphOf(...two.toReversed())));
    expect(modelsTagOf(graphOf(...two))).not.toBe(tag);
  });

  it('is that of all model files where there is no checkpoint, and absent where there is none', () => {
    const upscale = modelsTagOf(graphOf({ model_name: '4x.pth' }));
    expect(upscale).toMatch(/^[0-9a-f]{8}$/);
    expect(modelsTagOf(graphOf({ model_name: '2x.pth' }))).not.toBe(upscale);
    expect(modelsTagOf(graphOf({ ckpt_name: ['4', 0], width: 64, image: 'a.png' }))).toBeUndefined();
  });
});

describe('the choice', () => {
  const queue = [job('1', 'b'), job('2', 'a'), job('3'), job('4', 'b')];
  const chosen = (
    jobs: Candidate[],
    loaded: string | undefined,
    about: Partial<Circumstances<Candidate>> = {},
  ) => choose(jobs, { loaded, timesPassed: () => 0, isLeft: () => false, ...about });

  it('is the first job whose models are loaded, or that needs none', () => {
    expect(chosen(queue, 'a')).toEqual({ job: queue[1], over: [queue[0]] });
    expect(chosen(queue, 'c')).toEqual({ job: queue[2], over: queue.slice(0, 2) });
  });

  it('is the first of all where nothing is loaded, or no job fits', () => {
    expect(chosen(queue, undefined)).toEqual({ job: queue[0], over: [] });
    expect(chosen([queue[0]!, queue[3]!], 'a')).toEqual({ job: queue[0], over: [] });
    expect(chosen([], 'a')).toBeUndefined();
  });

  it('is none that is left to a host with its models, unless they are loaded here', () => {
    const isLeft = ({ models }: Candidate) => models === 'b';
    expect(chosen([queue[0]!, queue[3]!], 'a', { isLeft })).toBeUndefined();
    expect(chosen([queue[0]!, job('5', 'c')], 'a', { isLeft })).toEqual({ job: job('5', 'c'), over: [] });
    expect(chosen(queue, 'b', { isLeft })).toEqual({ job: queue[0], over: [] });
  });

  it('is in order up to a job that was passed over too often', () => {
    const timesPassed = (jobId: string) => (jobId === '2' ? PASSED_OVER_AT_MOST : 0);
    expect(chosen(queue, 'c', { timesPassed })).toEqual({ job: queue[0], over: [] });
    // What is before it and fits still goes first.
    expect(chosen(queue, 'b', { timesPassed })).toEqual({ job: queue[0], over: [] });
    expect(chosen(queue.slice(1), 'b', { timesPassed })).toEqual({ job: queue[1], over: [] });
  });
});

interface Arrival {
  jobId: string;
  at: number;
  owner: string;
  models: string;
}

interface Simulated {
  loads: number;
  /** In the order in which they were claimed. */
  claimed: (Arrival & { startTag: number; claimedAt: number })[];
  end: number;
}

/** What a job takes once its models are loaded, and what loading them takes; any unit. */
const RUN = 10;
const LOAD = 30;
/** How many waiting jobs a host sees. */
const PAGE = 25;
/** A new job is left to a host with its models for so long. */
const LEFT = 1;

/** Hosts of two slots, whose ComfyUI runs one job while the next is held beside it; owners by start-time fair queueing. */
function simulate(arrivals: Arrival[], { affinity }: { affinity: boolean }): Simulated {
  const hosts = Array.from({ length: 2 }, () => ({
    ends: [0, 0],
    loaded: undefined as string | undefined,
    passed: new Map<string, number>(),
  }));
  const coming = [...arrivals];
  const waiting: (Arrival & { startTag: number })[] = [];
  const last = new Map<string, { startTag: number; at: number }>();
  let maxStartTagInService: number | undefined;
  let virtual = 0;
  let loads = 0;
  const claimed: Simulated['claimed'] = [];

  function accept(one: Arrival): void {
    const time = virtualTimeOf(
      { at: one.at, head: waiting[0]?.startTag, maxStartTagInService },
      one.at,
      virtual,
    );
    virtual = time.startTag;
    const startTag = nextStartTag(last.get(one.owner), time);
    last.set(one.owner, { startTag, at: one.at });
    waiting.push({ ...one, startTag });
    waiting.sort((a, b) => a.startTag - b.startTag || a.at - b.at);
  }

  function claim(host: (typeof hosts)[number], now: number): boolean {
    const slot = host.ends.findIndex((end) => end <= now);
    const warm = (models: string) =>
      hosts.some(
        (other) => other !== host && other.loaded === models && other.ends.some((end) => end <= now),
      );
    const choice = choose(waiting.slice(0, PAGE), {
      loaded: affinity ? host.loaded : undefined,
      timesPassed: (jobId) => host.passed.get(jobId) ?? 0,
      isLeft: ({ at, models }) => now - at < LEFT && warm(models),
    });
    if (slot < 0 || !choice) return false;
    const { job: next, over } = choice;
    for (const { jobId } of over) host.passed.set(jobId, (host.passed.get(jobId) ?? 0) + 1);
    waiting.splice(waiting.indexOf(next), 1);
    maxStartTagInService = Math.max(maxStartTagInService ?? 0, next.startTag);
    const load = host.loaded === next.models ? 0 : LOAD;
    if (load > 0) loads += 1;
    host.loaded = next.models;
    host.ends[slot] = Math.max(now, ...host.ends) + RUN + load;
    claimed.push({ ...next, claimedAt: now });
    return true;
  }

  for (let now = 0; claimed.length < arrivals.length; now += 1) {
    while (coming[0] && coming[0].at <= now) accept(coming.shift()!);
    while (hosts.map((host) => claim(host, now)).includes(true));
  }
  return { loads, claimed, end: Math.max(...hosts.flatMap(({ ends }) => ends)) };
}

/** @param every mean time between two arrivals; 0: all at once */
function draw(seed: number, every: number): Arrival[] {
  const random = randomOf(seed);
  let at = 0;
  return Array.from({ length: 200 }, (_, n) => {
    at += -Math.log(1 - random()) * every;
    const owner = `owner ${Math.floor(random() * 4)}`;
    return { jobId: String(n), at, owner, models: random() < 0.5 ? 'a' : 'b' };
  });
}

/** The most jobs that were claimed before one that was ahead of them and waited. */
function passedOver({ claimed }: Simulated): number {
  return Math.max(
    ...claimed.map(
      (job, place) =>
        claimed.slice(0, place).filter((one) => one.startTag > job.startTag && one.claimedAt >= job.at)
          .length,
    ),
  );
}

const waits = ({ claimed }: Simulated) =>
  new Map(claimed.map(({ jobId, at, claimedAt }) => [jobId, claimedAt - at]));

describe.each([1, 2, 3, 4, 5])('200 jobs of two checkpoints at random, two hosts, seed %i', (seed) => {
  // Between a backlog and silence an idle host rather loads a model than idles: the saving is smallest there.
  it.each([
    ['all at once', 0, 1 / 8],
    ['faster than they can be run', 3, 1 / 4],
    ['half as fast', 12, 2 / 3],
    ['seldom', 50, 1 / 6],
  ])('arriving %s: models are loaded less often, and no job waits beyond the bound', (_, every, share) => {
    const jobs = draw(seed, every);
    const plain = simulate(jobs, { affinity: false });
    const warm = simulate(jobs, { affinity: true });
    expect(plain.loads).toBeGreaterThan(75);
    expect(warm.loads).toBeLessThanOrEqual(plain.loads * share);
    expect(new Set(warm.claimed.map(({ jobId }) => jobId)).size).toBe(200);
    expect(warm.end).toBeLessThanOrEqual(plain.end + LOAD);
    expect(passedOver(warm)).toBeLessThanOrEqual(2 * PASSED_OVER_AT_MOST);
    const before = waits(plain);
    for (const [jobId, wait] of waits(warm))
      expect(wait).toBeLessThanOrEqual(before.get(jobId)! + PASSED_OVER_AT_MOST * RUN);
  });
});

it('a job whose models no host has loaded is passed over so often by each host, and not once more', () => {
  const own = Array.from({ length: 300 }, (_, n) => ({ jobId: String(n), at: 0, owner: 'one', models: 'a' }));
  const rare = { jobId: 'rare', at: 2 * LOAD, owner: 'other', models: 'rare' };
  const over = passedOver(simulate([...own, rare], { affinity: true }));
  expect(over).toBe(2 * PASSED_OVER_AT_MOST);
});

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
