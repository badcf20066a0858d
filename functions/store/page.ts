// Lists by pages: newest first.

import type { Attributes, Table } from './engine.ts';

export interface Page<T> {
  items: T[];
  cursor?: string;
}

interface PartitionRange {
  /** The index's rows; cursors are of the same attribute. */
  by: { index: string; order: string };
  from?: string;
  before?: string | undefined;
}

/** Rows of a partition of an index, of an owner's mostly, newest first. With `from`, `before` must not be the place of a row. Eventually consistent. */
export async function listNewest<Row extends Attributes>(
  table: Table,
  partition: string,
  limit: number,
  { by: { index, order }, from, before }: PartitionRange,
): Promise<Page<Row>> {
  const range = { index, partition, from, before, backwards: true };
  const { rows, more } = await table.page(range, limit);
  const last = rows.at(-1);
  return { items: rows as Row[], ...(more && last && { cursor: String(last[order]) }) };
}
