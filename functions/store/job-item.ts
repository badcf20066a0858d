// How a job's fields lie in its item. Most do under their own name; the attributes of the first release keep their names.

import type { Change, Condition as JobCondition, JobState } from '../core/job.ts';
import { keyOfShard } from '../core/queue-spread.ts';
import { absent, type Attributes, type Condition, oneOf, type Update, where } from './engine.ts';

type Field = keyof JobState;

/** Field → attribute, where they differ. */
const ATTRIBUTES: Partial<Record<Field, string>> = {
  lostAttempts: 'faults',
  outputs: 'images',
  webhook: 'hook',
};
const FIELDS = new Map(Object.entries(ATTRIBUTES).map(([field, attribute]) => [attribute, field]));

/** The value of `hook` while a webhook is pending: the key of the outbox's index. */
export const WEBHOOK_PENDING = 'armed';

const attributeOf = (field: Field) => ATTRIBUTES[field] ?? field;
const valueOf = (field: Field, value: unknown) => (field === 'webhook' ? WEBHOOK_PENDING : value);

function attributesOf(state: Partial<JobState>): Attributes {
  return Object.fromEntries(
    (Object.entries(state) as [Field, unknown][])
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [attributeOf(field), valueOf(field, value)]),
  );
}

/** The item of a job that is accepted. @param shard of the queue, in which it waits */
export function itemOf(state: JobState, shard: number): Attributes {
  const item = attributesOf(state);
  return state.work === 'waiting' ? { ...item, work: keyOfShard(shard) } : item;
}

/** The fields of an item, or of its row in the index by work. Shards are known to the store alone. */
export function fieldsOf(item: object): Attributes {
  const fields = Object.fromEntries(
    Object.entries(item).map(([attribute, value]) => [FIELDS.get(attribute) ?? attribute, value]),
  );
  if (fields['webhook'] !== undefined) fields['webhook'] = 'pending';
  if (String(fields['work']).startsWith('waiting')) fields['work'] = 'waiting';
  return fields;
}

/** A change of a job as the write of its item. */
export function updateOf({ when, set, remove }: Change): Update {
  return { when: when.map(conditionOf), set: attributesOf(set), remove: remove.map(attributeOf) };
}

function conditionOf(condition: JobCondition): Condition {
  const attribute = attributeOf(condition.field);
  if ('is' in condition) return where(attribute, '=', valueOf(condition.field, condition.is));
  if ('oneOf' in condition) return oneOf(attribute, condition.oneOf);
  if ('absent' in condition) return absent(attribute);
  return where(attribute, '<', condition.below);
}
