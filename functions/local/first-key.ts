// The first key of a box that asks for keys: without one nobody could come in to draw one. Made once, shown once.

import { drawKey, LOCAL } from '../core/access.ts';
import type { Keys } from '../store/keys.ts';

/** Undefined: there was a key before, valid or not. @param random gives so many bytes */
export async function drawFirstKey(
  keys: Pick<Keys, 'list' | 'add'>,
  now: number,
  random: (bytes: number) => Uint8Array,
): Promise<string | undefined> {
  if ((await keys.list()).length > 0) return undefined;
  const { key, keyId, hash } = drawKey(random);
  // The owner of what was made before keys were asked for.
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
