// How a job's fields lie in its item. Most do under their own name; items of the first release keep what it called these.

import type { JobState } from '../core/job.ts';
import { keyOfShard } from '../core/queue-spread.ts';

type Field = keyof JobState;

/** Field → attribute, where they differ. */
const ATTRIBUTES: Partial<Record<Field, string>> = { lostAttempts: 'faults', webhook: 'hook' };
const FIELDS = new Map(Object.entries(ATTRIBUTES).map(([field, attribute]) => [attribute, field]));

/** The key of the outbox's index: of what is pending there. */
export const WEBHOOK_PENDING = 'armed';

export function attributeOf(field: Field): string {
  return ATTRIBUTES[field] ?? field;
}

/** Of a job that is accepted. @param shard of the queue under which it waits */
export function itemOf(state: JobState, shard: number): Record<string, unknown> {
  const item = Object.fromEntries(
    Object.entries(state).map(([field, value]) => [
      attributeOf(field as Field),
      valueOf(field as Field, value),
    ]),
  );
  return state.work === 'waiting' ? { ...item, work: keyOfShard(shard) } : item;
}

/** As its attribute holds it. */
export function valueOf(field: Field, value: unknown): unknown {
  return field === 'webhook' ? WEBHOOK_PENDING : value;
}

/** Of an item, or of what the index by work shows of it. Only this room knows of shards. */
export function fieldsOf(item: object): Record<string, unknown> {
  const fields = Object.fromEntries(
    Object.entries(item).map(([attribute, value]) => [FIELDS.get(attribute) ?? attribute, value]),
  );
  if (fields['webhook'] !== undefined) fields['webhook'] = 'pending';
  if (String(fields['work']).startsWith('waiting')) fields['work'] = 'waiting';
  return fields;
}
