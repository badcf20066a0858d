// The keys table: API keys by their id, with the hash of the secret, their owner and their scopes.

import type { ApiKey } from '../core/access.ts';
import { absent, type Engine, present } from './engine.ts';
import { keysTable } from './tables.ts';

/** A key that has ended is listed for so long, ms. */
const KEPT = 90 * 24 * 3_600_000;

export type Keys = ReturnType<typeof createKeys>;

export function createKeys(engine: Engine) {
  const table = engine.table(keysTable);
  const expiryOf = (end: number) => Math.ceil((end + KEPT) / 1000);
  /** Strongly consistent: a revoked key must not come back from a replica. */
  const find = (keyId: string) => table.read<ApiKey>({ keyId });

  return {
    /** Returns false if there is a key with this id. */
    async add(key: ApiKey): Promise<boolean> {
      const { validUntil } = key;
      const item = validUntil === undefined ? key : { ...key, expiresAt: expiryOf(validUntil) };
      if (await table.put(item, [absent('keyId')])) return true;
      // The refusal may be by the own write, whose answer was lost.
      return (await find(key.keyId))?.hash === key.hash;
    },

    read: find,

    /** All keys, oldest first, strongly consistent. */
    async list(): Promise<ApiKey[]> {
      return (await table.readAll<ApiKey>(true)).sort((a, b) => a.createdAt - b.createdAt);
    },

    /** Deletes the item, so that the key is not listed. */
    async remove(keyId: string): Promise<void> {
      await table.remove({ keyId });
    },

    /** Idempotent: the first time of revocation stays. Returns false if there is no such key. */
    revoke(keyId: string, now: number): Promise<boolean> {
      return table.update(
        { keyId },
        { when: [present('keyId')], set: { expiresAt: expiryOf(now) }, setOnce: { revokedAt: now } },
      );
    },
  };
}
