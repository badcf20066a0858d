// An owner's bucket and last turn under many writers, against the arithmetic of core/, which knows no table.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { tokenEvery } from '../../functions/core/quota.ts';
import { nextTurn, STEP } from '../../functions/core/turn.ts';
import { lastOf, type Owner } from '../../functions/store/owners.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const NOW = 1_800_000_000_000;
const level = { turn: NOW, forgetBefore: 0 };

/** As the api does it: again from a strong read while others are quicker. */
async function take(name: string, known: Owner, now = NOW, perMinute = 1000): Promise<Owner> {
  for (;;) {
    const after = await store.owners.take(known, { now, perMinute, level });
    if (after) return after;
    known = await store.owners.read(name);
  }
}

test('a hundred at once, none of whom knew of the others, take a hundred tokens and turns', async () => {
  const taken = await Promise.all(Array.from({ length: 100 }, () => take('many', { owner: 'many' })));
  const turns = taken.map(({ turn }) => turn!).toSorted((a, b) => a - b);
  expect(turns).toEqual(Array.from({ length: 100 }, (_, index) => NOW + index * STEP));
  expect(await store.owners.read('many')).toMatchObject({
    fullAt: NOW + 100 * tokenEvery(1000),
    turn: NOW + 99 * STEP,
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
  ['a newcomer', undefined, level],
  ['one with a backlog', { turn: NOW + 7 * STEP, at: NOW }, level],
  ['one whose last turn is long past', { turn: NOW - 7 * STEP, at: NOW }, level],
  ['one whose last turn is just past', { turn: NOW - STEP + 1, at: NOW }, level],
  ['one whose last turn is one step back', { turn: NOW - STEP, at: NOW }, level],
  ['one who used it before it was idle', { turn: NOW + STEP, at: NOW - 1 }, { turn: NOW, forgetBefore: NOW }],
  ['one who has used it since', { turn: NOW + STEP, at: NOW }, { turn: NOW, forgetBefore: NOW }],
])('the write gives %s the turn that core/ computes, whatever was known', async (name, last, stands) => {
  for (const knows of [true, false]) {
    const owner = `${name} ${knows}`;
    if (last)
      await store.owners.take({ owner }, { now: last.at, level: { turn: last.turn, forgetBefore: 0 } });
    const item = await store.owners.read(owner);
    expect(lastOf(item)).toEqual(last);
    const taking = { now: NOW + 5, level: stands };
    // Knowing nothing it is written only where nothing is what there is to know.
    const after =
      (await store.owners.take(knows ? item : { owner }, taking)) ?? (await store.owners.take(item, taking));
    expect(after?.turn).toBe(nextTurn(last, stands));
  }
});

test('limits that were set stay through requests; one is given back, the others stay', async () => {
  await store.owners.setLimits('set', { imagesPerDay: 5, usdPerMonth: null });
  await take('set', await store.owners.read('set'));
  expect(await store.owners.read('set')).toMatchObject({ imagesPerDay: 5, usdPerMonth: null, turn: NOW });
  const after = await store.owners.setLimits('set', { imagesPerDay: undefined, perMinute: 9 });
  expect(after).toMatchObject({ usdPerMonth: null, perMinute: 9 });
  expect(after).not.toHaveProperty('imagesPerDay');
});
