// Unrunnable jobs start no host: those that hosts skip for missing requirements.

import { describe, expect, test } from 'vitest';
import { HEAD, unrunnableNow, runnableCount } from '../../functions/controller/unrunnable.ts';
import { hostItem } from '../support/host-item.ts';
import { HOUR, MINUTE, NOW, RELEASE } from './snapshots.ts';

const at = (head: string[], more: { release?: string; now?: number } = {}) => ({
  head,
  release: RELEASE,
  now: NOW,
  ...more,
});
const host = (unrunnable: string[], more = {}) =>
  hostItem('i-1.run', NOW, { unrunnable, release: RELEASE, ...more });
const known = { unrunnable: { a: NOW - HOUR }, release: RELEASE };

describe('unrunnable', () => {
  test('is what hosts of this release that are alive say, as far as it still waits', () => {
    expect(unrunnableNow({}, [host(['a', 'gone'])], at(['a', 'b']))).toEqual({ a: NOW });
    expect(unrunnableNow({}, [host(['a'], { release: 'old' })], at(['a']))).toEqual({});
    expect(unrunnableNow({}, [host(['a'], { seenAt: NOW - MINUTE })], at(['a']))).toEqual({});
  });

  test('is remembered when the host is gone, until it ended, hours have passed or the release is another', () => {
    expect(unrunnableNow(known, [], at(['a', 'b']))).toEqual({ a: NOW - HOUR });
    expect(unrunnableNow(known, [], at(['b']))).toEqual({});
    expect(unrunnableNow(known, [], at(['a'], { now: NOW + 5 * HOUR }))).toEqual({});
    expect(unrunnableNow(known, [], at(['a'], { release: 'new' }))).toEqual({});
  });
});

describe('runnableCount', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, n) => `job-${n}`);
  const all = (head: string[]) => Object.fromEntries(head.map((id) => [id, NOW]));

  test('are all others', () => {
    expect(runnableCount(0, [], {})).toBe(0);
    expect(runnableCount(1, [], {})).toBe(1);
    expect(runnableCount(3, ids(3), all(ids(2)))).toBe(1);
    expect(runnableCount(2, ids(2), all(ids(2)))).toBe(0);
    expect(runnableCount(500, ids(HEAD), all(ids(HEAD - 1)))).toBe(401);
  });

  test('no host reads behind that many unrunnable ones', () => {
    expect(runnableCount(500, ids(HEAD), all(ids(HEAD)))).toBe(0);
  });
});
