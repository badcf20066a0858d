// The description behind an object's content in its file: key, digests and headers as JSON, then its length and a mark.
// Content and description are one file, so that a crash cannot leave one without the other.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Digests } from './body.ts';

export interface StoredObject extends Digests {
  key: string;
  /** Ms. */
  lastModified: number;
  /** content-type, x-amz-meta-*, …: returned as received. */
  headers: Record<string, string>;
}

const MAGIC = Buffer.from('\r\ns3v1\r\n');
const TAIL = 4 + MAGIC.length;

export function describe(object: StoredObject): Buffer {
  const json = Buffer.from(JSON.stringify(object));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([json, length, MAGIC]);
}

/** Returns undefined if the file is not ours, is torn by a failing disk or a power cut, or cannot be read. */
export function readDescription(path: string): StoredObject | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const size = fstatSync(fd).size;
    const tail = Buffer.alloc(TAIL);
    if (size < TAIL || readSync(fd, tail, 0, TAIL, size - TAIL) < TAIL || !tail.subarray(4).equals(MAGIC))
      return undefined;
    const json = Buffer.alloc(Math.min(tail.readUInt32BE(), size - TAIL));
    readSync(fd, json, 0, json.length, size - TAIL - json.length);
    const object = JSON.parse(json.toString()) as StoredObject;
    return object.sizeBytes + json.length + TAIL === size ? object : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
