// The chores table: what the API has begun and the controller finishes. A chore is written before its work begins, so that
// no crash leaves it half done.

import type { Chore } from '../core/chore.ts';
import type { StoreClient } from './client.ts';
import { where } from './expressions.ts';
import { readAll } from './reading.ts';
import { choresTable } from './tables.ts';
import { put, remove } from './writing.ts';

/** A controller that was away for less than this finds the chore. */
const KEPT_SECONDS = 7 * 24 * 3600;

export type Chores = ReturnType<typeof createChores>;

export function createChores({ documents, clock }: StoreClient, prefix: string) {
  const table = { documents, name: prefix + choresTable.name };
  return {
    /** One for each kind and owner: a later chore replaces an earlier one, and covers it. */
    async add(chore: Omit<Chore, 'choreId'>): Promise<Chore> {
      const whole: Chore = { choreId: `${chore.kind}#${chore.owner ?? '*'}`, ...chore };
      await put(table, { ...whole, expiresAt: Math.ceil(clock.now() / 1000) + KEPT_SECONDS });
      return whole;
    },

    /** All chores, strongly consistent: there are a handful at most. */
    list: () => readAll<Chore>(table, true),

    /** Removes the chore, unless it was added anew since it was read. */
    async done({ choreId, until }: Chore): Promise<void> {
      await remove(table, { choreId }, [where('until', '=', until)]);
    },
  };
}
