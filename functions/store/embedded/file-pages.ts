// Whether every page that lmdb's trees lead to lies within the file. It reads all branches and leaves, a second or so for half
// a gigabyte, and only of a file that ends before its last page. Source: mdb.c of lmdb 3.5.6, structs MDB_page_header,
// MDB_node, MDB_ovpage and MDB_db.

import { readSync } from 'node:fs';

export interface Pages {
  fd: number;
  /** Of the file. */
  size: number;
  pageSize: number;
}

const FLAGS_AT = 18;
/** Behind the last of the places of nodes, from the header's end. */
const LOWER_AT = 20;
const HEADER = 24;
const [BRANCH, LEAF] = [1, 2];
const NODE_HEADER = 8;
/** What a leaf's node has: its data in pages of their own, or a tree of its own. */
const [BIG_DATA, SUB_DATA] = [1, 2];
/** Of a tree's description. */
const ROOT_AT = 40;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** @param roots the first pages of all trees that are not found in others */
export function isWhole(pages: Pages, roots: readonly bigint[]): boolean {
  const page = Buffer.alloc(pages.pageSize);
  const left = roots.filter((root) => root !== NO_PAGE);
  for (let number = left.pop(); number !== undefined; number = left.pop()) {
    if (!isWithin(pages, number, 1n)) return false;
    const at = Number(number) * pages.pageSize;
    if (readSync(pages.fd, page, 0, page.length, at) < page.length) return false;
    const kind = page.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF);
    if (kind !== BRANCH && kind !== LEAF) return false;
    for (const node of nodesOf(page)) {
      if (kind === BRANCH) {
        left.push(BigInt(node.readUIntLE(0, 6)));
        continue;
      }
      const flags = node.readUInt16LE(4);
      const data = node.subarray(NODE_HEADER + node.readUInt16LE(6));
      if (flags & BIG_DATA) {
        if (!isWithin(pages, data.readBigUInt64LE(0), data.readBigUInt64LE(16))) return false;
      } else if (flags & SUB_DATA) {
        const root = data.readBigUInt64LE(ROOT_AT);
        if (root !== NO_PAGE) left.push(root);
      }
    }
  }
  return true;
}

function isWithin({ size, pageSize }: Pages, first: bigint, count: bigint): boolean {
  return (first + count) * BigInt(pageSize) <= BigInt(size);
}

/** Each from its first byte. */
function* nodesOf(page: Buffer): Generator<Buffer> {
  const count = page.readUInt16LE(LOWER_AT) >> 1;
  for (let nth = 0; nth < count; nth += 1) yield page.subarray(HEADER + page.readUInt16LE(HEADER + 2 * nth));
}
