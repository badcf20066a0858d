// Lists by pages: an owner's newest first.

import type { Attributes, Table } from './engine.ts';

export interface Page<T> {
  items: T[];
  cursor?: string;
}

interface OwnerRange {
  /** The index's rows; cursors are of the same attribute. */
  by: { index: string; order: string };
  from?: string;
  before?: string | undefined;
}

/** An owner's rows in an index, newest first. With `from`, `before` must not be the place of a row. Eventually consistent. */
export async function listOfOwner<Row extends Attributes>(
  table: Table,
  owner: string,
  limit: number,
  { by: { index, order }, from, before }: OwnerRange,
): Promise<Page<Row>> {
  const range = { index, partition: owner, from, before, backwards: true };
  const { rows, more } = await table.page(range, limit);
  const last = rows.at(-1);
  return { items: rows as Row[], ...(more && last && { cursor: String(last[order]) }) };
}
