// What a tab knows of its jobs goes with them. No browser.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type * as Module from '../../console/state/jobs.ts';

let jobs: typeof Module;
beforeAll(async () => {
  const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  vi.stubGlobal('localStorage', storage);
  vi.stubGlobal('sessionStorage', storage);
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.resetModules();
  jobs = await import('../../console/state/jobs.ts');
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const failed = { failure: { message: 'as any' } as never };

test('of a job that the last 40 have pushed out nothing is kept, also when an answer comes late', () => {
  const { ask, asked, knownOf } = jobs;
  const first = ask('any', {});
  knownOf(first.key).value = failed;
  for (let one = 1; one < 40; one += 1) ask('any', {});
  expect(knownOf(first.key).value).toEqual(failed);
  const second = asked.value.at(-2)!;
  ask('any', {});
  expect(knownOf(first.key).value).toEqual({});
  knownOf(first.key).value = failed;
  expect(knownOf(first.key).value).toEqual({});
  expect(knownOf(second.key)).toBe(knownOf(second.key));
});

test('one that is still to be accepted is pushed out by none: a reload would lose it', () => {
  const { ask, asked, forget } = jobs;
  for (const { key } of asked.value) forget(key);
  const unsent = ask('any', {});
  const accepted = ask('any', {});
  asked.value = asked.value.map((one) => (one === accepted ? { ...one, jobId: 'an-id' } : one));
  for (let one = 0; one < 60; one += 1) ask('any', {});
  const keys = asked.value.map(({ key }) => key);
  expect(keys).toHaveLength(61);
  expect(keys).toContain(unsent.key);
  expect(keys).not.toContain(accepted.key);
});
