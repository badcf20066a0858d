// dynalite, mended in five places where it matters to us (version 4.0.0, read in its source):
// - it writes the rows of the indexes and then the item: a process that is killed in between leaves a job that no
//   index shows. Here both go in one LevelDB batch;
// - it ends its reads by a method that LevelDB's iterators do not have, so none is ever closed and memory grows;
// - it answers while what it wrote is in the system's memory: a power cut took jobs that had been accepted half a minute
//   ago. Here every write is on the disk before its answer;
// - it reads single keys through a thread pool, which costs more than the read;
// - it ends the process where a write fails, a full disk included, and with it everything that can still be read.

import { AbstractKeyIterator, AbstractValueIterator } from 'abstract-level';
import { ClassicLevel } from 'classic-level';
import dynalite from 'dynalite';
import database from 'dynalite/db/index.js';
import type { Server } from 'node:http';
import { isDiskFull } from '../../runtime/disk-full.ts';

interface Operation {
  type: 'put' | 'del';
  key: string;
  value?: unknown;
}

export interface WriteGuard {
  /** Is there no room for this write? @param isNew nothing of its key is there */
  refuses(table: string, isNew: boolean): boolean;
  /** A write that has failed for want of room. */
  failed(error: Error): void;
}

let guard: WriteGuard | undefined;

/** What dynalite answers with. The SDK does not try again: there is no room in a second either. */
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
  // What dynalite does next, before this call returns, is to write the item under the lock of its key.
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

/** LevelDB's own, which all that is written comes through. */
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

/** @param path of its folder; in memory without one. @param writes who judges them, for all of this process */
export function createDynalite(path?: string, writes?: WriteGuard): Server {
  mend();
  guard = writes;
  const instant = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  return dynalite(path === undefined ? instant : { ...instant, path });
}
