// How every table is written: one conditional write of one item. A refused condition is an answer; every other failure is
// thrown. A refusal does not prove that the write was not made: the SDK repeats a write whose answer was lost.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { allOf, type Attributes, compile, type Condition } from './expressions.ts';
import type { Table } from './reading.ts';
import { SCHEMA_VERSION } from './tables.ts';

export interface Update {
  /** All of them must hold. */
  when?: readonly Condition[];
  /** Fields without a value are left out. */
  set?: Attributes;
  /** Written only where the attribute is absent. */
  setOnce?: Attributes;
  /** An absent attribute counts as 0. */
  add?: Record<string, number>;
  remove?: readonly string[];
}

const conditional = (when: readonly Condition[]) =>
  compile((aliases) => ({ ConditionExpression: allOf(when, aliases) }));

/** The expressions of an update. */
function expressionsOf({ when = [], set = {}, setOnce = {}, add = {}, remove = [] }: Update) {
  return compile((aliases) => {
    const { name, value } = aliases;
    const each = (fields: Attributes, text: (name: string, value: string) => string) =>
      Object.entries(fields).flatMap(([attribute, to]) =>
        to === undefined ? [] : text(name(attribute), value(to)),
      );
    const clauses = {
      SET: [
        ...each(set, (attribute, to) => `${attribute} = ${to}`),
        ...each(setOnce, (attribute, to) => `${attribute} = if_not_exists(${attribute}, ${to})`),
      ],
      ADD: each(add, (attribute, by) => `${attribute} ${by}`),
      REMOVE: remove.map(name),
    };
    return {
      ConditionExpression: allOf(when, aliases),
      UpdateExpression: Object.entries(clauses)
        .flatMap(([clause, parts]) => (parts.length > 0 ? `${clause} ${parts.join(', ')}` : []))
        .join(' '),
    };
  });
}

/** @returns what the write answers; undefined: its condition was refused */
export async function unlessRefused<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Replaces the whole item. @returns false if the condition was refused */
export async function put(
  { documents, name: TableName }: Table,
  item: object,
  when: readonly Condition[] = [],
  abortSignal?: AbortSignal,
): Promise<boolean> {
  const command = new PutCommand({ TableName, Item: { v: SCHEMA_VERSION, ...item }, ...conditional(when) });
  return (await unlessRefused(documents.send(command, { abortSignal }))) !== undefined;
}

/** @returns false: refused */
export async function update(table: Table, key: Attributes, change: Update): Promise<boolean> {
  return (await updateAndRead(table, key, change, 'NONE')) !== undefined;
}

/** @returns the item after the write, or the attributes that were written; undefined: refused */
export async function updateAndRead<Item>(
  { documents, name: TableName }: Table,
  Key: Attributes,
  change: Update,
  ReturnValues: 'ALL_NEW' | 'UPDATED_NEW' | 'NONE' = 'ALL_NEW',
): Promise<Item | undefined> {
  const command = new UpdateCommand({ TableName, Key, ...expressionsOf(change), ReturnValues });
  const answer = await unlessRefused(documents.send(command));
  return answer && ((answer.Attributes ?? {}) as Item);
}

/** @returns false: refused */
export async function remove(
  { documents, name: TableName }: Table,
  Key: Attributes,
  when: readonly Condition[] = [],
): Promise<boolean> {
  const command = new DeleteCommand({ TableName, Key, ...conditional(when) });
  return (await unlessRefused(documents.send(command))) !== undefined;
}
