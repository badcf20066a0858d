// Is it the secret? In the same time whatever was given.

import { createHash, timingSafeEqual } from 'node:crypto';

/** Hashes have one length, so that the time tells nothing. */
export function comparedWith(secret: string): (given: string | null | undefined) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const wanted = hash(secret);
  return (given) => timingSafeEqual(hash(given ?? ''), wanted);
}
