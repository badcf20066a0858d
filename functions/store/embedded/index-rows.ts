// Where an item and its rows lie among the keys of the file. A row of an index has no value: its key holds the index's keys
// and the table's, in the order of the index.

import type { Key } from 'lmdb';
import type { Attributes, Range } from '../engine.ts';
import type { TableSpec } from '../tables.ts';

type Part = string | number;

/** Behind every string. */
const LAST = '\u{10ffff}';
/** lmdb takes 1,978 bytes; a part costs two more than its own. */
const KEY_BYTES = 1900;

const isPart = (value: unknown): value is Part =>
  typeof value === 'number' || (typeof value === 'string' && value !== '');

/** @throws TypeError for a key that is missing, empty or too long: nothing may be written in part */
function keyOfParts(parts: readonly unknown[]): Part[] {
  if (!parts.every(isPart)) throw new TypeError(`Not a key: ${JSON.stringify(parts)}`);
  const bytes = parts.reduce<number>((sum, part) => sum + 10 + Buffer.byteLength(String(part)), 0);
  if (bytes > KEY_BYTES) throw new TypeError(`A key of ${bytes} bytes is too long`);
  return parts as Part[];
}

export const keyNames = ({ partitionKey, sortKey }: TableSpec): string[] =>
  [partitionKey, sortKey ?? []].flat();

export const keyOf = (spec: TableSpec, item: Attributes): Part[] =>
  keyOfParts(keyNames(spec).map((name) => item[name]));

/** The key of an item's row; undefined: the item is not in the index, since it lacks one of its keys. */
export function rowOf(
  spec: TableSpec,
  { partitionKey, sortKey }: TableSpec['indexes'][number],
  item: Attributes | undefined,
): Part[] | undefined {
  if (!isPart(item?.[partitionKey]) || !isPart(item[sortKey])) return undefined;
  return keyOfParts([item[partitionKey], item[sortKey], ...keyOf(spec, item)]);
}

/** As an index with keys only has it. */
export function attributesOf(
  spec: TableSpec,
  { partitionKey, sortKey }: TableSpec['indexes'][number],
  row: Key,
): Attributes {
  const names = [partitionKey, sortKey, ...keyNames(spec)];
  return Object.fromEntries((row as Part[]).map((value, index) => [names[index]!, value]));
}

/** First and last key of a range, neither of which is a row's. */
export function boundsOf({ partition, from, after, before }: Omit<Range, 'index'>): { low: Key; high: Key } {
  const low = after !== undefined ? [partition, after, LAST] : [partition, from ?? []].flat();
  return { low, high: before !== undefined ? [partition, before] : [partition, LAST] };
}
