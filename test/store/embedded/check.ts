// Whether the file of the embedded engine is whole: its rows are those that its items have, computed here anew.

import { open, type Key } from 'lmdb';
import { join } from 'node:path';
import type { Attributes } from '../../../functions/store/engine.ts';
import { tables } from '../../../functions/store/tables.ts';

const FILE = 'tables.mdb';

/**
 * Another engine may have the file open, here or in another process.
 * @returns how many items each table has @throws Error that names rows which are there without an item, or are missing
 */
export async function checkFile(directory: string): Promise<Record<string, number>> {
  const root = open({
    path: join(directory, FILE),
    noSubdir: true,
    readOnly: true,
    maxDbs: 40,
    cache: false,
  });
  const counts: Record<string, number> = {};
  const wrong: string[] = [];
  try {
    for (const { name, partitionKey, sortKey, indexes, ttl } of tables) {
      const keys = [partitionKey, sortKey ?? []].flat();
      const items = root.openDB<Attributes>(name, { encoding: 'msgpack', useRecords: false } as object);
      const expected = new Map<string, Set<string>>(
        [...indexes.map((index) => index.name), ttl].map((row) => [row, new Set()]),
      );
      let count = 0;
      for (const { key, value } of items.getRange({ snapshot: false })) {
        count += 1;
        const own = keys.map((attribute) => value[attribute]);
        if (textOf(key) !== textOf(own as Key))
          wrong.push(`${name}: ${textOf(own as Key)} lies under ${textOf(key)}`);
        for (const index of indexes) {
          const [partition, order] = [value[index.partitionKey], value[index.sortKey]];
          if (partition !== undefined && order !== undefined)
            expected.get(index.name)!.add(textOf([partition, order, ...own] as Key));
        }
        if (value[ttl] !== undefined) expected.get(ttl)!.add(textOf([value[ttl], ...own] as Key));
      }
      counts[name] = count;
      for (const [row, wanted] of expected) {
        const rows = root.openDB<Buffer>(`${name}.${row}`, { encoding: 'binary' });
        const found = new Set([...rows.getKeys({ snapshot: false })].map(textOf));
        for (const one of found) if (!wanted.has(one)) wrong.push(`${name}.${row}: ${one} has no item`);
        for (const one of wanted) if (!found.has(one)) wrong.push(`${name}.${row}: ${one} is missing`);
      }
    }
  } finally {
    await root.close();
  }
  if (wrong.length > 0) throw new Error(`The file is not whole:\n${wrong.slice(0, 20).join('\n')}`);
  return counts;
}

const textOf = (key: Key): string => JSON.stringify(key);
