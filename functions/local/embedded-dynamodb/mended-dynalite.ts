// dynalite with five corrections (version 4.0.0, read in its source):
// - it writes the rows of the indexes before the item: a process killed in between leaves a job that no index shows.
//   Here both go in one LevelDB batch;
// - it ends its reads by a method that LevelDB's iterators do not have, so none is closed and memory grows;
// - it answers while the write is in the system's memory only: a power cut lost jobs that were accepted half a minute
//   before. Here every write is synced to the disk before its answer;
// - it reads single keys through a thread pool, which costs more than the read;
// - it ends the process if a write fails, on a full disk too, and then nothing can be read.

import { AbstractKeyIterator, AbstractValueIterator } from 'abstract-level';
import { ClassicLevel } from 'classic-level';
import dynalite from 'dynalite';
import database from 'dynalite/db/index.js';
import type { Server } from 'node:http';
import { isDiskFull } from '../../core/disk-full.ts';

interface Operation {
  type: 'put' | 'del';
  key: string;
  value?: unknown;
}

export interface WriteGuard {
  /** Whether the disk is too full for this write. @param isNew the key does not exist yet */
  refuses(table: string, isNew: boolean): boolean;
  /** Called after a write failed on a full disk. */
  failed(error: Error): void;
}

let guard: WriteGuard | undefined;

/** dynalite's answer on a full disk. The SDK does not retry it: a second later the disk is still full. */
function storageFull(): Error {
  const message = 'The disk is full';
  const body = { __type: 'com.amazonaws.dynamodb.v20120810#StorageFull', message };
  return Object.assign(new Error(message), { statusCode: 400, body });
}

const updateIndexes: typeof database.updateIndexes = (store, table, existing, item, done) => {
  const isNew = existing === undefined && item !== null;
  if (guard?.refuses(table.TableName, isNew)) {
    done(storageFull());
    return;
  }
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
  const orSayFull = (error: Error): never => {
    if (!guard || !isDiskFull(error)) throw error;
    guard.failed(error);
    throw storageFull();
  };
  Object.assign(ClassicLevel.prototype, {
    _put(key, value, options) {
      return _put.call(this, key, value, durably(options)).catch(orSayFull);
    },
    _del(key, options) {
      return _del.call(this, key, durably(options)).catch(orSayFull);
    },
    _batch(operations, options) {
      return _batch.call(this, operations, durably(options)).catch(orSayFull);
    },
  } satisfies Writes);
  Object.assign(ClassicLevel.prototype, {
    async _get(this: { _getSync(key: unknown, options: unknown): unknown }, key: unknown, options: unknown) {
      return this._getSync(key, options);
    },
  });
}

/** @param path folder of the table; absent: in memory. @param writes judges the writes, for the whole process */
export function createDynalite(path?: string, writes?: WriteGuard): Server {
  mend();
  guard = writes;
  const instant = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  return dynalite(path === undefined ? instant : { ...instant, path });
}
