// The description behind an image's content in its file: JSON, its length, a mark. Content and description are one file, so
// that a crash cannot leave one without the other. The layout is that of release 0.1, whose files are taken over as they are.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

export interface Description {
  key: string;
  sizeBytes: number;
  /** In quotes. */
  etag: string;
  /** Of the content, base64 of four bytes. */
  crc32: string;
  /** Ms. */
  lastModified: number;
  headers: { 'content-type': string };
}

const MARK = Buffer.from('\r\ns3v1\r\n');
const TAIL = 4 + MARK.length;
/** Most descriptions are shorter. Bytes. */
const USUAL = 1024;

export function describe(description: Description): Buffer {
  const json = Buffer.from(JSON.stringify(description));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([json, length, MARK]);
}

/**
 * @param size of the file
 * @param least so many bytes from its end are read at least; a small file is read with one call
 * @returns the file's end with it; undefined: the file is not ours, or is torn by a failing disk or a power cut
 */
export async function readDescription(
  file: FileHandle,
  size: number,
  least = USUAL,
): Promise<{ description: Description; end: Buffer } | undefined> {
  for (let wanted = Math.min(least, size); ;) {
    const end = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await file.read(end, 0, wanted, size - wanted);
    const found = bytesRead < wanted ? undefined : parse(end, size);
    if (typeof found !== 'number') return found && { description: found, end };
    wanted = found;
  }
}

/** The same within one tick of the event loop. @throws as the file system does */
export function readDescriptionSync(path: string): Description | undefined {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    for (let wanted = Math.min(USUAL, size); ;) {
      const end = Buffer.allocUnsafe(wanted);
      const found = readSync(fd, end, 0, wanted, size - wanted) < wanted ? undefined : parse(end, size);
      if (typeof found !== 'number') return found;
      wanted = found;
    }
  } finally {
    closeSync(fd);
  }
}

/** @returns a number: so many bytes of the end are needed */
function parse(end: Buffer, size: number): Description | number | undefined {
  if (end.length < TAIL || !end.subarray(-MARK.length).equals(MARK)) return undefined;
  const bytes = end.readUInt32BE(end.length - TAIL) + TAIL;
  if (bytes > size) return undefined;
  if (bytes > end.length) return bytes;
  try {
    const json = end.toString('utf8', end.length - bytes, end.length - TAIL);
    const description = JSON.parse(json) as Description;
    return description.sizeBytes + bytes === size ? description : undefined;
  } catch {
    return undefined;
  }
}
