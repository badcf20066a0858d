// Who did it, for the log: a key, or the owner where there are none.

import type { Caller } from '../../core/access.ts';

export function byOf({ keyId, owner }: Pick<Caller, 'keyId' | 'owner'>): string {
  return keyId ?? owner;
}
