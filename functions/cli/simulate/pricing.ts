// DynamoDB's documented pricing rules for on-demand tables with KEYS_ONLY indexes: sizes of items, and the units of a
// request. The embedded DynamoDB does not count index writes. No I/O.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { TableSpec } from '../../store/tables.ts';

export type Item = Record<string, AttributeValue>;

/** US dollars per million units, us-east-1. */
export const DOLLARS = { writes: 0.625, reads: 0.125 };

/** Size of an item, bytes. */
export function sizeOf(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOfValue(value),
    0,
  );
}

function sizeOfValue(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return sizeOfNumber(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + sizeOfValue(one), 3);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + sizeOf(value.M);
  return 1;
}

/** Bytes of a number: one for every two significant digits, one more, and one for a sign. */
function sizeOfNumber(text: string): number {
  const digits = text
    .replace(/e.*$/i, '')
    .replaceAll(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}

/** Units of a put, update or delete: by the larger of the item before and after, plus every index row that changes. */
export function writeUnits(table: TableSpec, before: Item | undefined, after: Item | undefined): number {
  const size = Math.max(before ? sizeOf(before) : 0, after ? sizeOf(after) : 0);
  const ofItem = Math.max(1, Math.ceil(size / 1024));
  return ofItem + table.indexes.reduce((sum, index) => sum + indexUnits(index, before, after), 0);
}

/** A row whose key changes is deleted and put: two units. All rows are under 1 KB. */
function indexUnits(
  index: TableSpec['indexes'][number],
  before: Item | undefined,
  after: Item | undefined,
): number {
  const keyOf = (item: Item | undefined) => {
    const parts = [item?.[index.partitionKey]?.S, item?.[index.sortKey]?.S];
    return parts.includes(undefined) ? undefined : parts.join('\0');
  };
  const [was, is] = [keyOf(before), keyOf(after)];
  if (was === is) return 0;
  return (was === undefined ? 0 : 1) + (is === undefined ? 0 : 1);
}

/** Units of one item, or of all bytes that a query or scan reads. */
export function readUnits(bytes: number, consistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);
}
