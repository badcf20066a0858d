// When a tab asks for its jobs that have no stream. No browser: a tab that is not looked at, and answers from here.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type * as Follow from '../../console/state/follow.ts';
import type * as Jobs from '../../console/state/jobs.ts';
import type * as Key from '../../console/api/key.ts';
import type * as Private from '../../console/state/private.ts';

/** More than are asked for often. */
const JOBS = 6;
const waiting = { status: 'queued', attempts: 0, outputs: [], notes: [] };
const questions: string[] = [];
let jobs: typeof Jobs;
let follow: typeof Follow;
let key: typeof Key;
let owners: typeof Private;

beforeAll(async () => {
  vi.useFakeTimers();
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  vi.stubGlobal('localStorage', { ...storage, getItem: () => null });
  vi.stubGlobal('sessionStorage', storage);
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('document', {
    baseURI: 'http://api/',
    visibilityState: 'hidden',
    addEventListener: () => undefined,
  });
  vi.stubGlobal('fetch', async (address: string | URL, { method }: RequestInit) => {
    const asked = `${method} ${new URL(address).pathname}`;
    questions.push(asked);
    return Response.json(asked === 'POST /api/generate' ? { job_id: String(questions.length) } : waiting);
  });
  vi.resetModules();
  [jobs, follow, key, owners] = await Promise.all([
    import('../../console/state/jobs.ts'),
    import('../../console/state/follow.ts'),
    import('../../console/api/key.ts'),
    import('../../console/state/private.ts'),
  ]);
});
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.resetModules();
});

test('under another key of the same owner each is asked for at once: nothing is known of it any more', async () => {
  owners.become('me');
  follow.followJobs();
  for (let one = 0; one < JOBS; one += 1) jobs.ask('any', {});
  await vi.advanceTimersByTimeAsync(0);
  expect(questions.filter((one) => one.startsWith('POST'))).toHaveLength(JOBS);
  expect(new Set(questions.filter((one) => one.startsWith('GET'))).size).toBe(JOBS);

  questions.length = 0;
  key.keepKey('another', false);
  owners.become(undefined);
  owners.become('me');
  await vi.advanceTimersByTimeAsync(0);
  expect(new Set(questions).size).toBe(JOBS);
  for (const { key: one } of jobs.asked.value) expect(jobs.knownOf(one).value.view).toEqual(waiting);
});
