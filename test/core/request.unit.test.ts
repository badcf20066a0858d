// What was asked for, as it is stored: packed and compared.

import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hashBody, packGraph, unpackGraph } from '../../functions/core/request.ts';
import { GRAPH, shipped } from './templates.ts';

it('a graph comes back from its packing, as ComfyUI would read it', () => {
  expect(unpackGraph(packGraph(GRAPH))).toEqual(GRAPH);
  expect(JSON.parse(gunzipSync(packGraph(GRAPH)).toString())).toEqual(GRAPH);
});

it('the shipped graphs are small enough to lie in the request part', () => {
  expect(packGraph(shipped('flux2_turbo_controlnet').graph).length).toBeLessThan(2048);
});

describe("a body's hash", () => {
  it('is the same in whatever order its fields come', () => {
    expect(hashBody({ prompt: 'a', steps: 8 })).toBe(hashBody({ steps: 8, prompt: 'a' }));
    expect(hashBody({ prompt: 'a', steps: 8 })).toMatch(/^[0-9a-f]{64}$/);
  });

  it('distinguishes bodies by a value, its type, or a field', () => {
    const bodies = [{ a: 1 }, { a: '1' }, { a: 2 }, { a: null }, { b: 1 }, { a: 1, b: 1 }, {}, { a: true }];
    expect(new Set(bodies.map(hashBody)).size).toBe(bodies.length);
    const hostile = JSON.parse('{"__proto__": 1}') as Record<string, unknown>;
    expect(hashBody(hostile)).not.toBe(hashBody({}));
  });
});
