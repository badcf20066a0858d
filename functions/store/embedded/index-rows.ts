// Where an item and its rows lie among the keys of the file. A row of an index has no value: its key holds the index's keys
// and the table's, in the order of the index.

import type { Key } from 'lmdb';
import { toUSVString } from 'node:util';
import type { Attributes, Range } from '../engine.ts';
import type { TableSpec } from '../tables.ts';

export type Part = string | number;

/** Behind every string. */
const LAST = '\u{10ffff}';
/** lmdb takes 1,978 bytes; a part costs two more than its own. */
const KEY_BYTES = 1900;

/** lmdb ends a part with one of these, and orders long strings that hold them otherwise than short ones. */
const isControl = (text: string) => {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) <= 4) return true;
  return false;
};
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !isControl(value) && toUSVString(value) === value;

/** @throws TypeError for a key that is missing, empty, of another type or too long: nothing may be written in part */
function keyOfParts(spec: TableSpec, names: readonly string[], item: Attributes): Part[] {
  const parts = names.map((name) => item[name]);
  const isPart = (part: unknown, nth: number): part is Part =>
    spec.numbers?.includes(names[nth]!) ? Number.isFinite(part) : isText(part);
  if (!parts.every(isPart))
    throw new TypeError(`Not a key of ${spec.name} (${names.join(', ')}): ${JSON.stringify(parts)}`);
  const bytes = parts.reduce<number>((sum, part) => sum + 10 + Buffer.byteLength(String(part)), 0);
  if (bytes > KEY_BYTES) throw new TypeError(`A key of ${bytes} bytes is too long`);
  return parts;
}

export const keyNames = ({ partitionKey, sortKey }: TableSpec): string[] =>
  [partitionKey, sortKey ?? []].flat();

export const keyOf = (spec: TableSpec, item: Attributes): Part[] => keyOfParts(spec, keyNames(spec), item);

/** The key of an item's row; undefined: the item is not in the index, since it lacks one of its keys. */
export function rowOf(
  spec: TableSpec,
  { partitionKey, sortKey }: TableSpec['indexes'][number],
  item: Attributes | undefined,
): Part[] | undefined {
  if (item?.[partitionKey] === undefined || item[sortKey] === undefined) return undefined;
  return keyOfParts(spec, [partitionKey, sortKey, ...keyNames(spec)], item);
}

/** Whether two keys of one kind are the same. */
export const isSameRow = (one: readonly Part[] | undefined, other: readonly Part[] | undefined): boolean =>
  one?.length === other?.length && (one ?? []).every((part, nth) => part === other![nth]);

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
