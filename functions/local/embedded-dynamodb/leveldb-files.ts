// Reads LevelDB's files before LevelDB opens them: LevelDB silently skips what it cannot read in a log, and silently
// starts an empty table if CURRENT is missing. Source: LevelDB's doc/log_format.md and doc/impl.md, db/version_edit.cc
// (tags), read at 1.23. The blocks of tables are not checked here: reading every entry does that.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LogContents {
  /** Bytes up to the end of the last whole record. */
  readable: number;
  /** Offset of the first broken record that whole ones follow, so that it is not a torn end. */
  damagedAt?: number;
  records: Buffer[];
}

const BLOCK = 32_768;
const HEADER = 7;

/** A power cut leaves a torn record at the end, of a write that was not answered: that is no damage. */
export function readLog(bytes: Buffer): LogContents {
  const contents: LogContents = { readable: 0, records: [] };
  let parts: Buffer[] = [];
  let badAt: number | undefined;
  let at = 0;
  while (at + HEADER <= bytes.length) {
    const inBlock = BLOCK - (at % BLOCK);
    if (inBlock < HEADER) {
      at += inBlock;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes[at + 6]!;
    const end = at + HEADER + length;
    const whole =
      type >= 1 && type <= 4 && HEADER + length <= inBlock && end <= bytes.length && isWhole(bytes, at, end);
    if (!whole) {
      badAt ??= at;
      // Like LevelDB, the rest of the block is skipped.
      at += inBlock;
      continue;
    }
    if (badAt !== undefined) contents.damagedAt ??= badAt;
    const part = bytes.subarray(at + HEADER, end);
    if (type === 1 || type === 2) parts = [part];
    else parts.push(part);
    if (type === 1 || type === 4) contents.records.push(Buffer.concat(parts));
    at = end;
    if (contents.damagedAt === undefined) contents.readable = end;
  }
  return contents;
}

function isWhole(bytes: Buffer, at: number, end: number): boolean {
  const crc = crc32c(bytes.subarray(at + 6, end));
  // LevelDB stores its checksums masked.
  return bytes.readUInt32LE(at) === (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

export interface LevelFiles {
  /** By number, the logs that LevelDB will read. */
  logs: Map<number, LogContents>;
  hasCurrent: boolean;
  /** Name of an entry that is neither file nor folder; a folder is normal, since LevelDB's repair leaves one named `lost`. */
  odd?: string;
}

export const logName = (number: number) => `${String(number).padStart(6, '0')}.log`;

/** Returns undefined if the folder does not exist or is empty. */
export async function readLevelFiles(directory: string): Promise<LevelFiles | undefined> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (entries.length === 0) return undefined;
  const odd = entries.find((entry) => !entry.isFile() && !entry.isDirectory())?.name;
  const hasCurrent = entries.some(({ name }) => name === 'CURRENT');
  if (odd !== undefined || !hasCurrent) return { logs: new Map(), hasCurrent, ...(odd && { odd }) };
  const manifest = (await readFile(join(directory, 'CURRENT'), 'utf8')).trim();
  const first = await readFile(join(directory, manifest)).then(logNumberOf, () => 0);
  const logs = new Map<number, LogContents>();
  for (const { name } of entries) {
    const number = Number(/^(\d+)\.log$/.exec(name)?.[1] ?? Number.NaN);
    if (number >= first) logs.set(number, readLog(await readFile(join(directory, name))));
  }
  return { logs, hasCurrent };
}

/** Number of the oldest log that is not in tables yet: the last one in the manifest. */
function logNumberOf(manifest: Buffer): number {
  let number = 0;
  for (const edit of readLog(manifest).records) number = logNumberOfEdit(edit) ?? number;
  return number;
}

function logNumberOfEdit(edit: Buffer): number | undefined {
  let at = 0;
  let found: number | undefined;
  const varint = () => {
    let value = 0;
    for (let shift = 1; at < edit.length; shift *= 128) {
      const byte = edit[at]!;
      at += 1;
      value += (byte & 127) * shift;
      if (byte < 128) break;
    }
    return value;
  };
  const bytes = () => {
    const length = varint();
    at += length;
  };
  while (at < edit.length)
    switch (varint()) {
      case 1:
        bytes();
        break;
      case 2:
        found = varint();
        break;
      case 5:
        varint();
        bytes();
        break;
      case 6:
        varint();
        varint();
        break;
      case 7:
        varint();
        varint();
        varint();
        bytes();
        bytes();
        break;
      default:
        varint();
    }
  return found;
}
