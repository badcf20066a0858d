// The chores table: what the API has begun and the controller finishes. A chore is written before its work begins, so that
// no crash leaves it half done.

import type { Chore } from '../core/chore.ts';
import { type Engine, where } from './engine.ts';
import { choresTable } from './tables.ts';

/** A controller that was away for less than this finds the chore. */
const KEPT_SECONDS = 7 * 24 * 3600;

export type Chores = ReturnType<typeof createChores>;

export function createChores({ table: tableOf, clock }: Engine) {
  const table = tableOf(choresTable);
  return {
    /** One for each kind and owner: a later chore replaces an earlier one, and covers it. */
    async add(chore: Omit<Chore, 'choreId'>): Promise<Chore> {
      const whole: Chore = { choreId: `${chore.kind}#${chore.owner ?? '*'}`, ...chore };
      await table.put({ ...whole, expiresAt: Math.ceil(clock.now() / 1000) + KEPT_SECONDS });
      return whole;
    },

    /** All chores, strongly consistent: there are a handful at most. */
    list: () => table.readAll<Chore>(true),

    /** Removes the chore, unless it was added anew since it was read. */
    async done({ choreId, until }: Chore): Promise<void> {
      await table.remove({ choreId }, [where('until', '=', until)]);
    },
  };
}
