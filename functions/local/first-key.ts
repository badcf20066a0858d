// The first key of an API that asks for keys: without one, no caller could create any. Created once, printed once.

import { drawKey, LOCAL } from '../core/access.ts';
import type { Keys } from '../store/keys.ts';

/** Returns undefined if a key existed before, valid or not. @param random returns so many random bytes */
export async function drawFirstKey(
  keys: Pick<Keys, 'list' | 'add'>,
  now: number,
  random: (bytes: number) => Uint8Array,
): Promise<string | undefined> {
  if ((await keys.list()).length > 0) return undefined;
  const { key, keyId, hash } = drawKey(random);
  // LOCAL owns the jobs and images that were made while the API asked for no key.
  await keys.add({
    keyId,
    hash,
    name: 'first',
    owner: LOCAL.owner,
    scopes: [...LOCAL.scopes],
    createdAt: now,
  });
  return key;
}
