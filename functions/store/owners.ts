// The owners table: an owner's own limits, its bucket of requests and its last start tag. A token and a start tag are taken
// in one write, whose conditions say in which of the cases of core/ the owner is: many processes may write at the same
// time, and none waits for another. Such a write is not idempotent: one whose answer was lost and that the SDK repeats
// takes one more token and one more step, which costs the owner a second.

import { lastStartTagOf, type Owner } from '../core/owner.ts';
import { fullAtMost, LIMITS, type OwnLimits, tokenEvery } from '../core/quota.ts';
import { follows, STEP, type VirtualTime } from '../core/start-tag.ts';
import {
  absent,
  anyOf,
  type Attributes,
  between,
  type Condition,
  type Engine,
  type Update,
  where,
} from './engine.ts';
import { ownersTable, SCHEMA_VERSION } from './tables.ts';

export interface Taking {
  /** ms, the tables' clock. */
  now: number;
  /** Absent: no limit, and no token is taken. */
  perMinute?: number | undefined;
  /** For a job, which gets a start tag. */
  virtualTime?: VirtualTime | undefined;
  /** For a job of low priority. */
  isLow?: boolean | undefined;
}

export type Owners = ReturnType<typeof createOwners>;

export function createOwners(engine: Engine) {
  const table = engine.table(ownersTable);

  /** @returns the item after it; undefined: refused */
  const update = (owner: string, { set, ...change }: Update): Promise<Owner | undefined> =>
    table.updateAndRead({ owner }, { ...change, set: { ...set, v: SCHEMA_VERSION } });

  return {
    /** Strongly consistent. An owner without an item has the settings' limits and a full bucket. */
    async read(owner: string): Promise<Owner> {
      return (await table.read<Owner>({ owner })) ?? { owner };
    },

    /** In the order of the names, eventually consistent. */
    async readMany(names: readonly string[]): Promise<Owner[]> {
      const items = await table.readMany<Owner>(
        names.map((owner) => ({ owner })),
        false,
      );
      const found = new Map(items.map((item) => [item.owner, item]));
      return names.map((owner) => found.get(owner) ?? { owner });
    },

    /** Undefined: the setting's limit applies again; null: unlimited. Limits that are not named stay. */
    async setLimits(owner: string, limits: OwnLimits): Promise<Owner> {
      const named = LIMITS.filter((name) => name in limits);
      const set = Object.fromEntries(named.map((name) => [name, limits[name]]));
      const remove = named.filter((name) => limits[name] === undefined);
      return (await update(owner, { set, remove }))!;
    },

    /**
     * Takes a token of the bucket and, for a job, its start tag.
     * @param known the item as it was read; if it is in another case by now, the write is refused
     * @returns the item after it; undefined: refused, read it again
     */
    take(known: Owner, { now, perMinute, virtualTime, isLow }: Taking): Promise<Owner | undefined> {
      const when: Condition[] = [];
      const set: Attributes = {};
      const add: Record<string, number> = {};
      if (perMinute !== undefined) {
        const every = tokenEvery(perMinute);
        const latest = fullAtMost(perMinute, now);
        if ((known.fullAt ?? 0) < now || known.fullAt! > latest) {
          when.push(anyOf(absent('fullAt'), where('fullAt', '<', now), where('fullAt', '>', latest)));
          set['fullAt'] = now + every;
        } else {
          when.push(between('fullAt', now, now + (perMinute - 1) * every));
          add['fullAt'] = every;
        }
      }
      if (virtualTime) {
        const { startTag, forgetBefore } = virtualTime;
        if (follows(lastStartTagOf(known), virtualTime)) {
          when.push(where('startTag', '>', startTag - STEP), where('startTagAt', '>=', forgetBefore));
          add['startTag'] = STEP;
        } else {
          const isHistory = where('startTagAt', '<', forgetBefore);
          when.push(anyOf(absent('startTag'), where('startTag', '<=', startTag - STEP), isHistory));
          set['startTag'] = startTag;
        }
        set['startTagAt'] = now;
      }
      if (isLow) set['lowAt'] = now;
      return update(known.owner, { when, set, add });
    },

    /** For an owner that has cleared what waited: its next job gets the virtual time. */
    async forgetStartTag(owner: string): Promise<void> {
      await update(owner, { remove: ['startTag', 'startTagAt'] });
    },
  };
}
