// dynalite with four corrections (version 4.0.0, read in its source):
// - it writes the rows of the indexes before the item: a process killed in between leaves a job that no index shows.
//   Here both go in one LevelDB batch;
// - it ends its reads by a method that LevelDB's iterators do not have, so none is closed and memory grows;
// - it answers while the write is in the system's memory only: a power cut lost jobs that were accepted half a minute
//   before. Here every write is synced to the disk before its answer;
// - it reads single keys through a thread pool, which costs more than the read.

import { AbstractKeyIterator, AbstractValueIterator } from 'abstract-level';
import { ClassicLevel } from 'classic-level';
import dynalite from 'dynalite';
import database from 'dynalite/db/index.js';
import type { Server } from 'node:http';

interface Operation {
  type: 'put' | 'del';
  key: string;
  value?: unknown;
}

const updateIndexes: typeof database.updateIndexes = (store, table, existing, item, done) => {
  const prefix = (index: string) => `index-global~${table.TableName}~${index}~`;
  const { puts, deletes } = database.getIndexActions(
    table.GlobalSecondaryIndexes ?? [],
    existing,
    item,
    table,
  );
  const rows: Operation[] = [
    ...deletes.map(({ index, key }) => ({ type: 'del' as const, key: prefix(index) + key })),
    ...puts.map((row) => ({ type: 'put' as const, key: prefix(row.index) + row.key, value: row.item })),
  ];
  // dynalite's next step, before `done` returns, writes the item under the lock of its key.
  const items = store.getItemDb(table.TableName);
  const { put, del } = items;
  const key = (of: string) => `item-${table.TableName}~${of}`;
  items.put = (of, value, written) =>
    store.db.batch([...rows, { type: 'put', key: key(of), value }], written);
  items.del = (of, written) => store.db.batch([...rows, { type: 'del', key: key(of) }], written);
  try {
    done(null);
  } finally {
    items.put = put;
    items.del = del;
  }
};

/** LevelDB's internal methods, which every write goes through. */
interface Writes {
  _put(key: unknown, value: unknown, options: object): Promise<void>;
  _del(key: unknown, options: object): Promise<void>;
  _batch(operations: unknown, options: object): Promise<void>;
}

let mended = false;

function mend(): void {
  if (mended) return;
  mended = true;
  database.updateIndexes = updateIndexes;
  for (const Iterator of [AbstractKeyIterator, AbstractValueIterator])
    Object.assign(Iterator.prototype, {
      return(this: { close(): Promise<void> }) {
        return this.close();
      },
    });
  const { _put, _del, _batch } = ClassicLevel.prototype as unknown as Writes;
  const durably = (options: object) => ({ ...options, sync: true });
  Object.assign(ClassicLevel.prototype, {
    _put(key, value, options) {
      return _put.call(this, key, value, durably(options));
    },
    _del(key, options) {
      return _del.call(this, key, durably(options));
    },
    _batch(operations, options) {
      return _batch.call(this, operations, durably(options));
    },
  } satisfies Writes);
  Object.assign(ClassicLevel.prototype, {
    async _get(this: { _getSync(key: unknown, options: unknown): unknown }, key: unknown, options: unknown) {
      return this._getSync(key, options);
    },
  });
}

/** @param path folder of the table; absent: in memory */
export function createDynalite(path?: string): Server {
  mend();
  const instant = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  return dynalite(path === undefined ? instant : { ...instant, path });
}
