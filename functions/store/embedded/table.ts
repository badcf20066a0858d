// A table in the file: items by their key, a database of rows for each index, and one of expiries. A write reads the item,
// judges its condition and writes item and rows in one transaction, which no other process can come between.

import type { Database, Key, RootDatabase } from 'lmdb';
import { setImmediate as pause } from 'node:timers/promises';
import type { Attributes, Condition, Range, Table, Update } from '../engine.ts';
import { SCHEMA_VERSION, type TableSpec } from '../tables.ts';
import { allHold, stored, updated } from './conditions.ts';
import { attributesOf, boundsOf, isSameRow, keyNames, keyOf, type Part, rowOf } from './index-rows.ts';

/** Rows that are read without a pause, in which others of this process have their turn. */
const ROWS_AT_ONCE = 1000;
const NOTHING = Buffer.alloc(0);
/** Each value can be read without any other; bigints of any size. msgpackr's own options, which lmdb hands on. */
const PLAIN = { encoding: 'msgpack' as const, useRecords: false, useBigIntExtension: true };

/** What a write makes of an item: another item, none (null), or nothing, since its condition was refused (undefined). */
type Decision = Attributes | null | undefined;

export interface Transactions {
  /** Runs `work` alone among all processes. @returns when what it wrote is on the disk @throws what `work` throws */
  run<T>(work: () => T): Promise<T>;
  /** @throws AppError unavailable */
  refuseClosed(): void;
  /** @throws StorageFull */
  refuseFull(table: TableSpec, isNew: boolean): void;
}

export interface EmbeddedTable extends Table {
  /** Before any other call, and again where the file was replaced. */
  open(root: RootDatabase): void;
  /** For `run`: a put as part of a transaction. @returns false: refused */
  putNow(item: object, when: readonly Condition[]): boolean;
  /** Removes at most `limit` items that expired before a second, as DynamoDB's TTL does. @returns how many */
  removeExpired(before: number, limit: number): Promise<number>;
  /** Within a transaction: an index that is new gets the rows of the items that are there. */
  fillIndex(name: string): void;
  /** Puts those items whose keys are not there yet, as they are, in one transaction. */
  putMissing(items: readonly Attributes[]): Promise<void>;
}

export function createTable(spec: TableSpec, { run, refuseClosed, refuseFull }: Transactions): EmbeddedTable {
  let items: Database<Attributes>;
  let indexes: (TableSpec['indexes'][number] & { rows: Database<Buffer> })[];
  let expiries: Database<Buffer>;
  const expiryOf = (item: Attributes | undefined): Part[] | undefined =>
    typeof item?.[spec.ttl] === 'number' ? [item[spec.ttl] as number, ...keyOf(spec, item)] : undefined;

  function replace(key: Key, before: Attributes | undefined, after: Attributes | undefined): void {
    // All keys are made before the first is written: what throws here has written nothing.
    const moves = [
      ...indexes.map((index) => ({
        rows: index.rows,
        old: rowOf(spec, index, before),
        next: rowOf(spec, index, after),
      })),
      { rows: expiries, old: expiryOf(before), next: expiryOf(after) },
    ];
    for (const { rows, old, next } of moves) {
      const isSame = isSameRow(old, next);
      if (old !== undefined && !isSame) void rows.remove(old);
      if (next !== undefined && !isSame) void rows.put(next, NOTHING);
    }
    if (after) void items.put(key, after);
    else void items.remove(key);
  }

  /** Within a transaction. @returns the decision, as it was written */
  function writeNow(key: Key, decide: (item: Attributes | undefined) => Decision): Decision {
    const before = items.get(key);
    const decision = decide(before);
    if (decision === undefined || (decision === null && before === undefined)) return decision;
    const after = decision === null ? undefined : (stored(decision) as Attributes);
    refuseFull(spec, before === undefined);
    replace(key, before, after);
    return after ?? null;
  }

  const write = (key: Key, decide: (item: Attributes | undefined) => Decision): Promise<Decision> =>
    run(() => writeNow(key, decide));

  function putNow(given: object, when: readonly Condition[]): boolean {
    const item: Attributes = { v: SCHEMA_VERSION, ...given };
    return writeNow(keyOf(spec, item), (before) => (allHold(when, before) ? item : undefined)) !== undefined;
  }

  function change(key: Attributes, { when = [], ...update }: Update): Promise<Decision> {
    return write(keyOf(spec, key), (item) =>
      allHold(when, item) ? updated(item ?? key, update, keyNames(spec)) : undefined,
    );
  }

  /** lmdb reads on for a moment from where a read began; another process may have written since. */
  function readAnew(): void {
    refuseClosed();
    items.resetReadTxn();
  }

  function indexNamed(name: string) {
    const index = indexes.find((one) => one.name === name);
    if (!index) throw new TypeError(`${spec.name} has no index ${name}`);
    return index;
  }

  function rowsIn({ index: name, backwards = false, ...range }: Range, limit: number, behind?: Key): Key[] {
    const { low, high } = boundsOf(range);
    const [start, end] = backwards ? [behind ?? high, low] : [behind ?? low, high];
    const { rows } = indexNamed(name);
    readAnew();
    return [
      ...rows.getKeys({ start, end, reverse: backwards, limit, exclusiveStart: true, snapshot: false }),
    ];
  }

  const named = <Row extends Attributes>({ index }: Range, keys: readonly Key[]): Row[] =>
    keys.map((key) => attributesOf(spec, indexNamed(index), key) as Row);

  return {
    open(root) {
      const rowsOf = (name: string): Database<Buffer> =>
        root.openDB(`${spec.name}.${name}`, { encoding: 'binary' });
      items = root.openDB(spec.name, PLAIN);
      indexes = spec.indexes.map((index) => ({ ...index, rows: rowsOf(index.name) }));
      expiries = rowsOf(spec.ttl);
    },

    async read<Item>(key: Attributes) {
      readAnew();
      return items.get(keyOf(spec, key)) as Item | undefined;
    },

    async readMany<Item>(keys: Attributes[]) {
      readAnew();
      return keys.flatMap((key) => (items.get(keyOf(spec, key)) as Item | undefined) ?? []);
    },

    async readAll<Item>() {
      readAnew();
      return [...items.getRange()].map(({ value }) => value as Item);
    },

    async *pages<Row extends Attributes>(range: Range, atOnce = ROWS_AT_ONCE) {
      let keys = rowsIn(range, atOnce);
      while (keys.length > 0) {
        yield named<Row>(range, keys);
        if (keys.length === atOnce) await pause();
        keys = keys.length < atOnce ? [] : rowsIn(range, atOnce, keys.at(-1));
      }
    },

    async page(range, limit) {
      const keys = rowsIn(range, limit + 1);
      return { rows: named(range, keys.slice(0, limit)), more: keys.length > limit };
    },

    async count(range) {
      const { low, high } = boundsOf(range);
      readAnew();
      return indexNamed(range.index).rows.getKeysCount({ start: low, end: high });
    },

    async put(given: object, when: readonly Condition[] = []) {
      const item: Attributes = { v: SCHEMA_VERSION, ...given };
      return (
        (await write(keyOf(spec, item), (before) => (allHold(when, before) ? item : undefined))) !== undefined
      );
    },

    async update(key, update) {
      return (await change(key, update)) !== undefined;
    },

    async updateAndRead<Item>(key: Attributes, update: Update) {
      return (await change(key, update)) as Item | undefined;
    },

    async remove(key, when = []) {
      return (
        (await write(keyOf(spec, key), (item) => (allHold(when, item) ? null : undefined))) !== undefined
      );
    },

    putNow,

    removeExpired(before, limit) {
      return run(() => {
        const expired = [...expiries.getKeys({ end: [before], limit, snapshot: false })] as unknown[][];
        for (const [, ...key] of expired) replace(key as Key, items.get(key as Key), undefined);
        return expired.length;
      });
    },

    fillIndex(name) {
      const index = indexNamed(name);
      for (const { value } of items.getRange()) {
        const row = rowOf(spec, index, value);
        if (row) void index.rows.put(row, NOTHING);
      }
    },

    putMissing(all) {
      return run(() => {
        for (const item of all) {
          const key = keyOf(spec, item);
          if (!items.doesExist(key)) replace(key, undefined, stored(item) as Attributes);
        }
      });
    },
  };
}
