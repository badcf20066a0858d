// Over how many keys the waiting jobs are spread: whatever the fleet does, and however old anybody's picture of it is within
// `spreadKnownAfter`, no job is put into a shard that no host reads, and none stays there.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_SHARDS } from '../../functions/core/limits.ts';
import {
  keyOfShard,
  nextSpread as nextOf,
  shardOf,
  type Spread,
  UNSPREAD,
} from '../../functions/core/queue-spread.ts';
import { TIMINGS } from '../../functions/core/timings.ts';

const ROUND = 60_000;
const LATER = TIMINGS.spreadKnownAfter;
const nextSpread = (was: Spread, now: Parameters<typeof nextOf>[1], time: number) =>
  nextOf(was, now, time, TIMINGS);
const at = (hosts: number, occupied?: number) => ({ hosts, hostsPerShard: 1000, occupied });

test('up to the setting there is one key, and nothing but the number of hosts changes', () => {
  expect(nextSpread(UNSPREAD, at(1000), 5)).toEqual({ ...UNSPREAD, hosts: 1000 });
});

test('past it another is read first, and written when everybody reads it', () => {
  const raised = nextSpread(UNSPREAD, at(1001), 1_000_000);
  expect(raised).toEqual({ hosts: 1001, read: 2, write: 1, changedAt: 1_000_000 });
  expect(nextSpread(raised, at(1001, 1), 1_000_000 + LATER - 1)).toEqual(raised);
  expect(nextSpread(raised, at(1001, 1), 1_000_000 + LATER)).toMatchObject({ read: 2, write: 2 });
});

test('below it none is put there any more, and it is read until the last has left', () => {
  const two: Spread = { hosts: 1001, read: 2, write: 2, changedAt: 0 };
  const lowered = nextSpread(two, at(3, 2), 1_000_000);
  expect(lowered).toEqual({ hosts: 3, read: 2, write: 1, changedAt: 1_000_000 });
  expect(nextSpread(lowered, at(3, 1), 1_000_000 + LATER - 1)).toEqual(lowered);
  expect(nextSpread(lowered, at(3, 2), 1_000_000 + LATER)).toMatchObject({ read: 2, write: 1 });
  expect(nextSpread(lowered, at(3, 1), 1_000_000 + LATER)).toMatchObject({ read: 1, write: 1 });
  // No read has shown whether any is left.
  expect(nextSpread(lowered, at(3), 1_000_000 + LATER)).toMatchObject({ read: 2 });
});

test('jobs in a shard that is not read are read at once: the item was lost, or a write came late', () => {
  expect(nextSpread(UNSPREAD, at(0, 7), 1000)).toEqual({ hosts: 0, read: 7, write: 1, changedAt: 1000 });
});

test('there are never more than MAX_SHARDS', () => {
  expect(nextSpread(UNSPREAD, at(1e9), 1_000_000)).toMatchObject({ read: MAX_SHARDS, write: 1 });
});

test('writers and readers with views as old as allowed meet', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          hosts: fc.integer({ min: 0, max: 6000 }),
          empties: fc.boolean(),
          rounds: fc.integer({ min: 1, max: 4 }),
        }),
        { maxLength: 40 },
      ),
      (fleet) => {
        const published: { from: number; spread: Spread }[] = [{ from: -Infinity, spread: UNSPREAD }];
        const seenAt = (time: number) => published.findLast(({ from }) => from <= time)!.spread;
        const waiting = new Set<number>();
        let time = LATER;
        for (const { hosts, empties, rounds } of fleet)
          for (let n = 0; n < rounds; n += 1, time += ROUND) {
            // Just before the round, by the oldest picture that anybody may have, the youngest, and one between.
            for (const age of [LATER - 1, LATER / 2, 0]) {
              const { write } = seenAt(time - 1 - age);
              waiting.add(write - 1);
            }
            const readers = [LATER - 1, LATER / 2, 0].map((age) => seenAt(time - 1 - age).read);
            expect(Math.max(...waiting)).toBeLessThan(Math.min(...readers));
            if (empties) waiting.clear();
            const occupied = Math.max(0, ...waiting) + 1;
            const last = published.at(-1)!.spread;
            const spread = nextSpread(last, { hosts, hostsPerShard: 1000, occupied }, time);
            expect(spread.write).toBeLessThanOrEqual(spread.read);
            published.push({ from: time, spread });
          }
      },
    ),
    { numRuns: 500 },
  );
});

test('each shard has its key, and ids fall on all shards alike', () => {
  expect(keyOfShard(0)).toBe('waiting');
  expect(new Set(Array.from({ length: MAX_SHARDS }, (_, shard) => keyOfShard(shard))).size).toBe(MAX_SHARDS);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 10_000; n += 1) counts[shardOf(crypto.randomUUID(), 10)]! += 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(200);
  expect(shardOf('no-hex', 10)).toBe(0);
});
