// What the store asks of a database: conditional writes of single items, reads by key, and rows of an index in order. Two
// engines have it: dynamodb/ on AWS and wherever a process is given an endpoint, embedded/ on one machine. What a table
// means is said once, in the files beside this one.

import type { Timings } from '../core/timings.ts';
import type { Clock } from './clock.ts';
import type { TableSpec } from './tables.ts';

export type Attributes = Record<string, unknown>;

type Operator = '=' | '<' | '<=' | '>' | '>=';

/** What an item must be like for a write to be made. An item that is not there has no attributes. */
export type Condition =
  | { attribute: string; is: 'absent' | 'present' }
  | { attribute: string; is: Operator; to: unknown }
  | { attribute: string; is: 'between'; from: unknown; until: unknown }
  | { attribute: string; is: 'one of'; values: readonly unknown[] }
  | { attribute: string; is: 'prefixed'; by: string }
  | { anyOf: readonly Condition[] };

export const absent = (attribute: string): Condition => ({ attribute, is: 'absent' });
export const present = (attribute: string): Condition => ({ attribute, is: 'present' });
/** Values of two types, and an absent attribute, compare as false. */
export const where = (attribute: string, is: Operator, to: unknown): Condition => ({ attribute, is, to });
/** Both ends included. */
export const between = (attribute: string, from: unknown, until: unknown): Condition => ({
  attribute,
  is: 'between',
  from,
  until,
});
export const oneOf = (attribute: string, values: readonly unknown[]): Condition => ({
  attribute,
  is: 'one of',
  values,
});
export const beginsWith = (attribute: string, by: string): Condition => ({ attribute, is: 'prefixed', by });
export const anyOf = (...conditions: Condition[]): Condition => ({ anyOf: conditions });

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

/** Rows of an index that have one partition key, in the order of the sort key. */
export interface Range {
  index: string;
  partition: string;
  /** Lowest sort key, included. Together with `before` that must not be the sort key of a row. */
  from?: string | undefined;
  /** Rows behind this sort key. */
  after?: string | undefined;
  /** Rows in front of this sort key. */
  before?: string | undefined;
  /** From the greatest sort key down. */
  backwards?: boolean;
}

/**
 * Every method rejects where the database fails. A write that is refused by its condition is an answer, and does not prove
 * that it was not made: the SDK repeats a write whose answer was lost.
 */
export interface Table {
  /** Strongly consistent unless `consistent` is false. Undefined: there is no such item. */
  read<Item>(
    key: Attributes,
    how?: { consistent?: boolean; signal?: AbortSignal | undefined },
  ): Promise<Item | undefined>;
  /**
   * Any number of items by different keys, in no order; absent ones are left out.
   * @param attributes at least these are read; absent: all
   */
  readMany<Item>(keys: Attributes[], consistent: boolean, attributes?: readonly string[]): Promise<Item[]>;
  readAll<Item>(consistent: boolean): Promise<Item[]>;
  /** Rows with the keys of index and table, by pages of at most `atOnce`. Eventually consistent. */
  pages<Row extends Attributes>(range: Range, atOnce?: number): AsyncGenerator<Row[]>;
  /** The first rows of a range. Eventually consistent. */
  page(range: Range, limit: number): Promise<{ rows: Attributes[]; more: boolean }>;
  /** Eventually consistent. */
  count(range: Range): Promise<number>;
  /** Replaces the whole item. @returns false: refused */
  put(item: object, when?: readonly Condition[], signal?: AbortSignal): Promise<boolean>;
  /** An item that is not there is created with its key. @returns false: refused */
  update(key: Attributes, change: Update): Promise<boolean>;
  /** @returns the item after the write, or at least what was `'written'`; undefined: refused */
  updateAndRead<Item>(key: Attributes, change: Update, what?: 'all' | 'written'): Promise<Item | undefined>;
  /** @returns false: refused */
  remove(key: Attributes, when?: readonly Condition[]): Promise<boolean>;
}

/** An item that is to be put, on a condition. */
export interface Put {
  table: TableSpec;
  item: object;
  when?: readonly Condition[];
}

export interface Engine {
  table(spec: TableSpec): Table;
  /**
   * Puts items in order, up to the first that is refused: whatever happens, none is there without those before it. On one
   * machine that is one write.
   * @returns how many were put
   */
  putInOrder(puts: readonly Put[]): Promise<number>;
  clock: Clock;
  timings: Timings;
}
