// An owner's bucket and last turn under many writers, against the arithmetic of core/, which knows no table.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastStartTagOf, type Owner } from '../../functions/core/owner.ts';
import { tokenEvery } from '../../functions/core/quota.ts';
import { nextStartTag, STEP } from '../../functions/core/start-tag.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const NOW = 1_800_000_000_000;
const virtualTime = { startTag: NOW, forgetBefore: 0 };

/** As the api does it: again from a strong read while others are quicker. */
async function take(name: string, known: Owner, now = NOW, perMinute = 1000): Promise<Owner> {
  for (;;) {
    const after = await store.owners.take(known, { now, perMinute, virtualTime });
    if (after) return after;
    known = await store.owners.read(name);
  }
}

test('a hundred at once, none of whom knew of the others, take a hundred tokens and turns', async () => {
  const taken = await Promise.all(Array.from({ length: 100 }, () => take('many', { owner: 'many' })));
  const entries = taken.map(({ startTag }) => startTag!).toSorted((a, b) => a - b);
  expect(entries).toEqual(Array.from({ length: 100 }, (_, index) => NOW + index * STEP));
  expect(await store.owners.read('many')).toMatchObject({
    fullAt: NOW + 100 * tokenEvery(1000),
    startTag: NOW + 99 * STEP,
  });
});

test('an empty bucket is refused, however old what the writer knows is', async () => {
  let known: Owner = { owner: 'empty' };
  for (let count = 0; count < 3; count += 1)
    known = (await store.owners.take(known, { now: NOW, perMinute: 3 }))!;
  for (const item of [known, { owner: 'empty' }, { ...known, fullAt: NOW + 1 }])
    expect(await store.owners.take(item, { now: NOW, perMinute: 3 })).toBeUndefined();
  expect(await store.owners.take(known, { now: NOW + tokenEvery(3), perMinute: 3 })).toBeDefined();
});

test.each([
  ['a newcomer', undefined, virtualTime],
  ['one with a backlog', { startTag: NOW + 7 * STEP, at: NOW }, virtualTime],
  ['one whose last turn is long past', { startTag: NOW - 7 * STEP, at: NOW }, virtualTime],
  ['one whose last turn is just past', { startTag: NOW - STEP + 1, at: NOW }, virtualTime],
  ['one whose last turn is one step back', { startTag: NOW - STEP, at: NOW }, virtualTime],
  [
    'one who used it before it was idle',
    { startTag: NOW + STEP, at: NOW - 1 },
    { startTag: NOW, forgetBefore: NOW },
  ],
  ['one who has used it since', { startTag: NOW + STEP, at: NOW }, { startTag: NOW, forgetBefore: NOW }],
])('the write gives %s the turn that core/ computes, whatever was known', async (name, last, stands) => {
  for (const knows of [true, false]) {
    const owner = `${name} ${knows}`;
    if (last)
      await store.owners.take(
        { owner },
        { now: last.at, virtualTime: { startTag: last.startTag, forgetBefore: 0 } },
      );
    const item = await store.owners.read(owner);
    expect(lastStartTagOf(item)).toEqual(last);
    const taking = { now: NOW + 5, virtualTime: stands };
    // Knowing nothing it is written only where nothing is what there is to know.
    const after =
      (await store.owners.take(knows ? item : { owner }, taking)) ?? (await store.owners.take(item, taking));
    expect(after?.startTag).toBe(nextStartTag(last, stands));
  }
});

test('limits that were set stay through requests; one is given back, the others stay', async () => {
  await store.owners.setLimits('set', { imagesPerDay: 5, usdPerMonth: null });
  await take('set', await store.owners.read('set'));
  expect(await store.owners.read('set')).toMatchObject({ imagesPerDay: 5, usdPerMonth: null, startTag: NOW });
  const after = await store.owners.setLimits('set', { imagesPerDay: undefined, perMinute: 9 });
  expect(after).toMatchObject({ usdPerMonth: null, perMinute: 9 });
  expect(after).not.toHaveProperty('imagesPerDay');
});
