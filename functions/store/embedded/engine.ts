// The tables of one machine in one file of lmdb, inside this process. Every write is on the disk before its promise
// resolves; those of the same moment share one flush. Other processes of this machine may read and write the file at the
// same time. Why lmdb: docs/decisions.

import { open, type RootDatabase } from 'lmdb';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { isDiskFull, StorageFull } from '../../core/disk-full.ts';
import { AppError } from '../../core/errors.ts';
import { TIMINGS, type Timings } from '../../core/timings.ts';
import { systemClock, type TableClock } from '../clock.ts';
import type { Engine } from '../engine.ts';
import { deliveriesTable, jobsTable, tables, type TableSpec } from '../tables.ts';
import { damageOf } from './file-check.ts';
import { createTable, type EmbeddedTable, type Transactions } from './table.ts';

export interface EmbeddedEngine extends Engine {
  table(spec: TableSpec): EmbeddedTable;
  clock: TableClock;
  /** Removes what has expired at a time, ms, as DynamoDB's TTL does on AWS. @returns how many items */
  removeExpired(asOf: number): Promise<number>;
  /**
   * Writes the tables into the folder again if their file was deleted: without it they live on until the process ends, and
   * everything would end with it. @returns whether it was gone
   */
  restoreIfGone(): Promise<boolean>;
  /** What is known of the file itself. */
  facts: { has(name: string): boolean; add(name: string): Promise<void> };
  /** Resolves when every write that was begun is on the disk and the file is closed. */
  close(): Promise<void>;
}

/** How much the disk may still take (local/disk-room.ts). */
export interface Room {
  takes(bytes: number): boolean;
  changes(): boolean;
}

export interface EmbeddedSettings {
  /** The folder of the file; it must exist. */
  directory: string;
  /** Absent: a write is refused only when it fails. */
  room?: Room | undefined;
  timings?: Timings | undefined;
  clock?: TableClock;
}

const FILE = 'tables.mdb';
/** Of the file as this release writes it. */
const LAYOUT = 3;
/** Indexes, by the layout that has them first: in an older file they have no rows yet. */
const NEW_INDEXES = [
  { since: 2, table: jobsTable, index: 'byOwner' },
  { since: 3, table: deliveriesTable, index: 'byType' },
];
/** Less than one commit may take. Bytes. */
const NO_ROOM = 2 ** 20;
/** Address space, not memory; a larger file is mapped anew. */
const MAP_BYTES = 4 * 2 ** 30;
/** Items that one transaction removes, so that others do not wait long. */
const REMOVED_AT_ONCE = 200;

/** @throws AppError bad_setting for a file that cannot be opened or is of a later release */
export function openEmbedded({
  directory,
  room,
  timings = TIMINGS,
  clock = systemClock(),
}: EmbeddedSettings): EmbeddedEngine {
  const path = join(directory, FILE);
  let root = openFile(path);
  /** Of the file as it was opened. */
  let inode = statSync(path).ino;
  let restoring: Promise<void> | undefined;
  let closing = false;
  /** A write that lmdb begins after it was closed would end the process. */
  const writing = new Set<Promise<unknown>>();

  const transactions: Transactions = {
    refuseClosed() {
      if (closing) throw new AppError('unavailable', 'The tables are closed');
    },
    async run(work) {
      transactions.refuseClosed();
      await restoring;
      // `transaction` would keep what `work` wrote before it threw.
      const written = root.childTransaction(work);
      writing.add(written);
      try {
        return await written;
      } catch (error) {
        throw await fullOr(error, path);
      } finally {
        writing.delete(written);
      }
    },
    // Only jobs grow without bound; other items are small and as many as there are owners and hosts.
    refuseFull({ name }, isNew) {
      if (room && !(room.changes() && (!isNew || name !== jobsTable.name || room.takes(0))))
        throw new StorageFull();
    },
  };
  const opened = new Map(tables.map((spec) => [spec.name, createTable(spec, transactions)]));
  // In one transaction: in a new file each database is made by a commit of its own otherwise.
  const openAll = () =>
    root.transactionSync(() => {
      for (const table of opened.values()) table.open(root);
    });
  openAll();
  // At the start, alone among all processes: who reads the index finds all of it.
  root.transactionSync(() => {
    const layout = root.get('layout') as number;
    if (layout === LAYOUT) return;
    for (const { since, table, index } of NEW_INDEXES)
      if (layout < since) opened.get(table.name)!.fillIndex(index);
    void root.put('layout', LAYOUT);
  });

  async function restore(): Promise<void> {
    await Promise.allSettled(writing);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const copy = `${path}.restored`;
    await root.backup(copy, false);
    flush(copy);
    renameSync(copy, path);
    flushFolder(directory);
    rmSync(`${path}-lock`, { force: true });
    const former = root;
    root = openFile(path);
    inode = statSync(path).ino;
    openAll();
    await former.close();
  }

  return {
    table: ({ name }) => opened.get(name)!,
    putInOrder: (puts) =>
      transactions.run(() => {
        const refused = puts.findIndex(
          ({ table, item, when = [] }) => !opened.get(table.name)!.putNow(item, when),
        );
        return refused < 0 ? puts.length : refused;
      }),
    clock,
    timings,
    async removeExpired(asOf) {
      const second = Math.floor(asOf / 1000);
      let removed = 0;
      for (const table of opened.values())
        for (let more = true; more;) {
          const count = await table.removeExpired(second, REMOVED_AT_ONCE);
          removed += count;
          more = count === REMOVED_AT_ONCE;
        }
      return removed;
    },
    facts: {
      has: (name) => root.get(name) !== undefined,
      add: (name) => transactions.run(() => void root.put(name, 1)),
    },
    async restoreIfGone() {
      if (statSync(path, { throwIfNoEntry: false })?.ino === inode || closing) return false;
      restoring ??= restore().finally(() => (restoring = undefined));
      await restoring;
      return true;
    },
    async close() {
      closing = true;
      await restoring;
      await Promise.allSettled(writing);
      await root.close();
    },
  };
}

function openFile(path: string): RootDatabase {
  const refuse = (reason: string) =>
    new AppError(
      'bad_setting',
      `The job table ${path} cannot be opened: ${reason}. Put a copy of it back, or move it away to begin without its jobs`,
      {
        field: 'WORKSPACE_PATH',
      },
    );
  const damage = damageOf(path);
  if (damage !== undefined) throw refuse(damage);
  let root: RootDatabase;
  try {
    root = open({
      path,
      noSubdir: true,
      // Two for each index and a few for what comes.
      maxDbs: 40,
      cache: false,
      // With it a read shows what is not on the disk yet, and a power cut could take back what was reported.
      overlappingSync: false,
      // With it a commit that fails rejects a promise without a holder, which ends the process.
      eventTurnBatching: false,
      // A map that grows by itself maps all of the file again.
      ...(process.platform !== 'win32' && { mapSize: MAP_BYTES }),
    });
  } catch (error) {
    throw refuse((error as Error).message);
  }
  flushFolder(dirname(path));
  const layout = root.get('layout') as number | undefined;
  if (layout === undefined) root.putSync('layout', LAYOUT);
  else if (layout > LAYOUT) {
    void root.close();
    throw refuse('it belongs to a later release');
  }
  return root;
}

/** lmdb does not: without it a power cut may take a new file away, with all that was flushed into it. */
function flushFolder(path: string): void {
  // Windows opens no folder, and needs no flush of one.
  if (process.platform !== 'win32') flush(path, 'r');
}

function flush(path: string, flags: 'r' | 'r+' = 'r+'): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The cause of a commit that failed is in a promise, and rejects it: no other code awaits that. */
async function fullOr(error: unknown, path: string): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  if (!commitError) return error;
  try {
    return await commitError;
  } catch (cause) {
    return isDiskFull(cause) || isCutShort(cause as { code?: number }, path)
      ? new StorageFull({ cause })
      : error;
  }
}

/** A write of which only the first bytes found room is an input/output error to lmdb. */
function isCutShort({ code }: { code?: number }, path: string): boolean {
  if (code !== constants.errno.EIO) return false;
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize < NO_ROOM;
}
