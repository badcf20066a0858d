// The Owners table: an owner's own limits, its bucket of requests and its last turn. A request and a turn are taken in
// one write, whose conditions say which of the cases held that core/ computed: many processes may write at once, none
// waits for another. Such a write is no mark: whose answer was lost, and that the SDK repeats, takes one token and one
// step more, which costs the owner a second.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { fullAtMost, LIMITS, type OwnLimits, tokenEvery } from '../core/quota.ts';
import { follows, type VirtualTime, STEP } from '../core/start-tag.ts';
import { lastStartTagOf, type Owner } from '../core/owner.ts';
import type { StoreClient } from './client.ts';
import { ownersTable, SCHEMA_VERSION } from './tables.ts';

export interface Taking {
  now: number;
  /** Absent: no limit, and no token is taken. */
  perMinute?: number | undefined;
  /** For a job: where the queue stands. */
  virtualTime?: VirtualTime | undefined;
}

export type Owners = ReturnType<typeof createOwners>;

export function createOwners({ documents }: StoreClient, prefix: string) {
  const TableName = prefix + ownersTable.name;

  /** @returns the item after it; undefined: refused */
  async function update(
    owner: string,
    sets: Record<string, string>,
    conditions: string[],
    values: Record<string, unknown>,
    removes: string[] = [],
  ): Promise<Owner | undefined> {
    const names = ['v', ...Object.keys(sets), ...removes, 'fullAt', 'startTag', 'startTagAt'];
    const text = [...conditions, ...Object.values(sets)].join(' ');
    const used = names.filter(
      (name) =>
        sets[name] !== undefined || removes.includes(name) || text.includes(`#${name}`) || name === 'v',
    );
    try {
      const { Attributes } = await documents.send(
        new UpdateCommand({
          TableName,
          Key: { owner },
          ...(conditions.length > 0 && { ConditionExpression: conditions.join(' AND ') }),
          UpdateExpression: [
            `SET ${[...Object.entries(sets), ['v', ':v']].map(([name, to]) => `#${name} = ${to}`).join(', ')}`,
            removes.length > 0 ? `REMOVE ${removes.map((name) => `#${name}`).join(', ')}` : '',
          ].join(' '),
          ExpressionAttributeNames: Object.fromEntries(used.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: { ...values, ':v': SCHEMA_VERSION },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return Attributes as Owner;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }

  return {
    /** Strongly. An owner without an item has the settings' limits and a full bucket. */
    async read(owner: string): Promise<Owner> {
      const { Item } = await documents.send(
        new GetCommand({ TableName, Key: { owner }, ConsistentRead: true }),
      );
      return (Item as Owner | undefined) ?? { owner };
    },

    /** Undefined: the setting's again; null: unlimited. What is not named stays. */
    async setLimits(owner: string, limits: OwnLimits): Promise<Owner> {
      const named = LIMITS.filter((name) => name in limits);
      const sets = named.filter((name) => limits[name] !== undefined);
      const written = await update(
        owner,
        Object.fromEntries(sets.map((name) => [name, `:${name}`])),
        [],
        Object.fromEntries(sets.map((name) => [`:${name}`, limits[name]])),
        named.filter((name) => limits[name] === undefined),
      );
      return written!;
    },

    /**
     * A token of the bucket and, for a job, its turn.
     * @param known the item as it was read; where it has moved on to another case the write is refused
     * @returns the item after it; undefined: read it again
     */
    take(known: Owner, { now, perMinute, virtualTime }: Taking): Promise<Owner | undefined> {
      const sets: Record<string, string> = {};
      const conditions: string[] = [];
      const values: Record<string, unknown> = { ':now': now };
      if (perMinute !== undefined) {
        const every = tokenEvery(perMinute);
        values[':every'] = every;
        const latest = fullAtMost(perMinute, now);
        if ((known.fullAt ?? 0) < now || known.fullAt! > latest) {
          conditions.push('(attribute_not_exists(#fullAt) OR #fullAt < :now OR #fullAt > :latest)');
          values[':latest'] = latest;
          values[':full'] = now + every;
          sets['fullAt'] = ':full';
          delete values[':every'];
        } else {
          conditions.push('#fullAt BETWEEN :now AND :last');
          values[':last'] = now + (perMinute - 1) * every;
          sets['fullAt'] = '#fullAt + :every';
        }
      }
      if (virtualTime) {
        values[':then'] = virtualTime.startTag - STEP;
        if (follows(lastStartTagOf(known), virtualTime)) {
          conditions.push('#startTag > :then AND #startTagAt >= :forget');
          values[':step'] = STEP;
          values[':forget'] = virtualTime.forgetBefore;
          sets['startTag'] = '#startTag + :step';
        } else {
          conditions.push('(attribute_not_exists(#startTag) OR #startTag <= :then OR #startTagAt < :forget)');
          values[':forget'] = virtualTime.forgetBefore;
          values[':virtualTime'] = virtualTime.startTag;
          sets['startTag'] = ':virtualTime';
        }
        sets['startTagAt'] = ':now';
      }
      return update(known.owner, sets, conditions, values);
    },

    /** It has cleared what waited: its next job comes where the queue stands. */
    async forgetStartTag(owner: string): Promise<void> {
      await update(owner, {}, [], {}, ['startTag', 'startTagAt']);
    },
  };
}
