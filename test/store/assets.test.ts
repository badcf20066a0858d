// Assets, and the count of them over the same bytes: the last one's end frees the bytes, whatever happens at the same moment.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UploadAsset } from '../../functions/store/assets.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const UNTIL = 4_000_000_000_000;
const blob = (hash: string) => ({ upload: `${hash}.png`, sizeBytes: 5 });
const assetOf = (assetId: string, more: Partial<UploadAsset> = {}): UploadAsset => ({
  assetId,
  owner: 'ann',
  createdAt: 1000,
  validUntil: UNTIL,
  upload: 'x.png',
  hash: 'x',
  sizeBytes: 5,
  contentType: 'image/png',
  ...more,
});

test('an asset is put once, read until its time is over, and removed once', async () => {
  const { assets } = store;
  expect(await assets.putNew(assetOf('one', { validUntil: 5000 }))).toBe(true);
  expect(await assets.putNew(assetOf('one', { owner: 'bob' }))).toBe(false);
  expect(await assets.read('one', 4999)).toMatchObject({ owner: 'ann', validUntil: 5000 });
  expect(await assets.read('one', 5000)).toBeUndefined();
  expect([await assets.remove('one'), await assets.remove('one')]).toEqual([true, false]);
});

test('the bytes go with the last of twenty assets that end at the same moment', async () => {
  const { assets } = store;
  await Promise.all(Array.from({ length: 20 }, () => assets.refer('ann', 'twenty', blob('twenty'), UNTIL)));
  const freed = await Promise.all(Array.from({ length: 20 }, () => assets.release('ann', 'twenty')));
  expect(freed.filter((one) => one !== undefined)).toMatchObject([blob('twenty')]);
  expect(await assets.readBlob('ann', 'twenty')).toBeUndefined();
  expect(await assets.release('ann', 'twenty')).toBeUndefined();
});

test('what was there before the first asset stays; each owner has a count of its own', async () => {
  const { assets } = store;
  await assets.refer('ann', 'shared', { ...blob('shared'), isShared: true }, UNTIL);
  await assets.refer('bob', 'shared', blob('shared'), UNTIL);
  expect(await assets.release('ann', 'shared')).toBeUndefined();
  expect(await assets.readBlob('bob', 'shared')).toMatchObject(blob('shared'));
  expect(await assets.release('bob', 'shared')).toMatchObject(blob('shared'));
});
