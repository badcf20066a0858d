// Calls whose answers have not got through yet, in the table of assets: those of one owner that ask for the same lie in one item, so
// that a repetition finds one that is not waited for and takes it by one conditional write. And until when each process that waits
// is surely alive: what a killed one waited for is free soon after.

import { ownerTag } from '../core/names.ts';
import { absent, anyOf, type Engine, present, where } from './engine.ts';
import { assetsTable } from './tables.ts';

/** Time in ms. */
export interface Call {
  /** Hex. */
  callId: string;
  at: number;
  /** The process that waits for its end; empty: none does. */
  waiter: string;
}

/** What is asked for, and by whom. */
export interface Same {
  owner: string;
  bodyHash: string;
}

/** In one item, of which each write is charged whole. */
const MAX_SAME = 250;
const KEPT_SECONDS = 3600;

export type Calls = ReturnType<typeof createCalls>;

export function createCalls(engine: Engine) {
  const table = engine.table(assetsTable);
  const keyOf = ({ owner, bodyHash }: Same) => ({ assetId: `calls#${ownerTag(owner)}#${bodyHash}` });
  const waiterKey = (waiter: string) => ({ assetId: `waiter#${waiter}` });
  const attribute = (callId: string) => `call_${callId}`;
  const valueOf = ({ at, waiter }: Call) => `${at} ${waiter}`;
  const expiresAt = (now: number) => Math.ceil(now / 1000) + KEPT_SECONDS;

  return {
    /** The oldest first. Strongly consistent. */
    async list(same: Same): Promise<Call[]> {
      const item = (await table.read<Record<string, unknown>>(keyOf(same))) ?? {};
      return Object.entries(item)
        .flatMap(([name, value]) => {
          const callId = /^call_([0-9a-f]+)$/.exec(name)?.[1];
          const [, at, waiter] = /^(\d+) (.*)$/.exec(String(value)) ?? [];
          return callId === undefined || at === undefined
            ? []
            : [{ callId, at: Number(at), waiter: waiter! }];
        })
        .sort((a, b) => a.at - b.at);
    },

    /** @returns false: there are too many of the same */
    add: (same: Same, call: Call): Promise<boolean> =>
      table.update(keyOf(same), {
        when: [anyOf(absent('calls'), where('calls', '<', MAX_SAME))],
        set: { [attribute(call.callId)]: valueOf(call), expiresAt: expiresAt(call.at) },
        add: { calls: 1 },
      }),

    /** It is waited for by another process, or by none. @returns false: it is not as `known` any more */
    hand: (same: Same, known: Call, waiter: string): Promise<boolean> =>
      table.update(keyOf(same), {
        when: [where(attribute(known.callId), '=', valueOf(known))],
        set: { [attribute(known.callId)]: valueOf({ ...known, waiter }) },
      }),

    /** Its answer has got through, or it was refused. */
    async remove(same: Same, callId: string): Promise<void> {
      await table.update(keyOf(same), {
        when: [present(attribute(callId))],
        remove: [attribute(callId)],
        add: { calls: -1 },
      });
    },

    /** @param until ms */
    async alive(waiter: string, until: number): Promise<void> {
      await table.put({ ...waiterKey(waiter), until, expiresAt: expiresAt(until) });
    },

    /** Until when they surely are. Strongly consistent; those that are not known are left out. */
    async aliveUntil(waiters: readonly string[]): Promise<Map<string, number>> {
      const keys = [...new Set(waiters)].map(waiterKey);
      const items = await table.readMany<{ assetId: string; until: number }>(keys, true);
      return new Map(items.map(({ assetId, until }) => [assetId.slice('waiter#'.length), until]));
    },
  };
}
