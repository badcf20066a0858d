// 300 graphs drawn from a real ComfyUI 0.33's declarations, half of them broken in one place, and what it answered to each:
// the preflight answers the same. Recorded by `node .build/preflight-corpus.mjs --record` (test/preflight-corpus/main.ts).

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../functions/core/json.ts';
import type { ObjectInfo } from '../../functions/core/object-info.ts';
import { type Case, isStricter, kindOf, ourAnswer } from '../preflight-corpus/compare.ts';

const recorded = readFileSync(new URL('preflight-corpus.json', import.meta.url), 'utf8');
const { nodes, cases } = parseJson(recorded) as { nodes: ObjectInfo; cases: Case[] };
const named = cases.map((one, index) => ({ ...one, name: `${index} ${one.how || 'whole'}` }));
const broken = named.filter(({ how }) => how !== '');

test('half of them are broken, and every kind of answer is among them', () => {
  expect([cases.length, broken.length]).toEqual([300, 150]);
  expect(new Set(cases.map(({ answer }) => kindOf(answer)))).toEqual(
    new Set(['accepted', 'partly', 'refused', 'answered 500']),
  );
});

describe('whole', () => {
  test.each(named.filter(({ how }) => how === ''))('$name', ({ graph, answer }) => {
    expect(ourAnswer(graph, nodes)).toEqual(answer);
  });
});

describe('broken in one place', () => {
  test.each(broken)('$name', ({ graph, answer }) => {
    const ours = ourAnswer(graph, nodes);
    if (!isStricter(ours)) expect(ours).toEqual(answer);
  });
});
