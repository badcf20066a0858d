// Whether a file can be given to lmdb, which maps it into memory and checks little: what is cut short or is no such file
// would end the process. The layout is LMDB's own: two pages of facts ("meta pages"), each with a magic number, the size
// of a page, the last page that was ever given out and the number of the transaction. Pages that were given out and given
// back within one transaction are not written: a whole file may end before its last page, but before none that is in use.
// Source: mdb.c of lmdb 3.5.6, struct MDB_meta.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isWhole } from './file-pages.ts';

const MAGIC = 0xbeefc0de;
/** Bytes before the facts of a meta page. */
const HEADER = 24;
const SMALLEST_PAGE = 4096;
/** Offsets within the facts, of a machine with 64 bits. */
const PAGE_SIZE_AT = 24;
const ROOTS_AT = [64, 112];
const LAST_PAGE_AT = 120;
const TRANSACTION_AT = 128;

/** @returns what is wrong with it; undefined: nothing, or there is no file */
export function damageOf(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : (error as Error).message;
  }
  try {
    const { size } = fstatSync(fd);
    // Created, and not yet written.
    if (size === 0) return undefined;
    const page = Buffer.alloc(SMALLEST_PAGE);
    if (readSync(fd, page, 0, page.length, 0) < page.length) return `it has ${size} bytes`;
    const facts = page.subarray(HEADER);
    if (facts.readUInt32LE() !== MAGIC) return 'it is no file of tables';
    const pageSize = facts.readUInt32LE(PAGE_SIZE_AT);
    const { last, roots } = latestOf(fd, pageSize);
    const wanted = (1 + last) * pageSize;
    if (size >= wanted || isWhole({ fd, size, pageSize }, roots)) return undefined;
    return `it was cut short: it has ${size} bytes of ${wanted}`;
  } finally {
    closeSync(fd);
  }
}

interface Latest {
  last: number;
  /** The first pages of the trees: of free pages, and of all databases. */
  roots: bigint[];
}

/** As the later transaction has it, whose pages were on the disk before its facts. */
function latestOf(fd: number, pageSize: number): Latest {
  const known = [0, 1].flatMap((index) => {
    const facts = Buffer.alloc(TRANSACTION_AT + 8);
    if (readSync(fd, facts, 0, facts.length, index * pageSize + HEADER) < facts.length) return [];
    if (facts.readUInt32LE() !== MAGIC) return [];
    const last = Number(facts.readBigUInt64LE(LAST_PAGE_AT));
    const roots = ROOTS_AT.map((at) => facts.readBigUInt64LE(at));
    return [{ last, roots, transaction: facts.readBigUInt64LE(TRANSACTION_AT) }];
  });
  return known.reduce((latest, one) => (one.transaction > latest.transaction ? one : latest));
}
