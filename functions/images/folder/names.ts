// Keys as paths, and back. A key is bytes here (a string of one character for each byte of its UTF-8), since that is the
// order of keys. No key leaves the folder, and no two meet: neither where case is ignored, nor where names are short.
//
// - A segment of a key is a folder, the last one a file: `uploads/<tag>/x.png`.
// - What begins with 32 hexadecimal digits is one of many. From there the rest of the key is one name, with `,` for `/`,
//   in a group, a folder of its first three digits: `images/0f3~/c….,1,=flux2_….png` for `images/0f3c…/1/Flux2_….png`.
// - Lower-case letters, digits, `_` and `-` stay; `=f` is F; other bytes are `%` and two digits. A file has a `.` in its
//   name, `.=` at the end where the key has none; a folder has none.

/** A folder that holds the rest of names that begin with what it is called. */
const GROUP = '~';
const ONE_OF_MANY = /^[0-9a-f]{32}/;
const GROUP_DIGITS = 3;
/** Characters. File systems take 255; the end of a longer name lies in a group of its first 60 bytes. */
const LONGEST = 200;
const CUT = 60;
const MAX_KEY_BYTES = 1024;
/** Ends the name of a file whose key has no dot. */
const NO_DOT = '.=';
const EMPTY = '%';
/** On Windows these are devices, whatever follows the dot. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

export class InvalidKey extends Error {
  override readonly name = 'InvalidKey';
}

/** @throws InvalidKey */
export function bytesOfKey(key: string): string {
  const bytes = bytesOf(key);
  if (bytes.length === 0 || bytes.length > MAX_KEY_BYTES || keyOf(bytes) !== key)
    throw new InvalidKey(`A key must be well-formed text of 1 to ${MAX_KEY_BYTES} bytes.`);
  return bytes;
}

export const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

export const keyOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();

export interface Place {
  /** Names, from the top. */
  folders: string[];
  name: string;
}

export function placeOf(bytes: string): Place {
  const { folders, rest } = descend(bytes);
  let name = rest;
  for (; fileName(name).length > LONGEST; name = name.slice(CUT)) folders.push(groupName(name.slice(0, CUT)));
  return { folders, name: fileName(name) };
}

/** The folders that all keys with this prefix lie in, and what is left of the prefix there. */
export function descend(prefix: string): { folders: string[]; rest: string } {
  const folders: string[] = [];
  let rest = prefix;
  for (;;) {
    if (ONE_OF_MANY.test(rest)) {
      folders.push(groupName(rest.slice(0, GROUP_DIGITS)));
      return { folders, rest: rest.slice(GROUP_DIGITS) };
    }
    const slash = rest.indexOf('/');
    if (slash < 0) return { folders, rest };
    let segment = rest.slice(0, slash);
    for (; folderName(segment).length > LONGEST; segment = segment.slice(CUT))
      folders.push(groupName(segment.slice(0, CUT)));
    folders.push(folderName(segment));
    rest = rest.slice(slash + 1);
  }
}

/** What a file or a folder adds to the bytes of the folder that it lies in; undefined: another program made it. */
export function bytesOfEntry(name: string, isFile: boolean): string | undefined {
  const bytes = decode(name);
  if (isFile) return fileName(bytes) === name ? bytes : undefined;
  if (name.endsWith(GROUP)) return groupName(bytes) === name ? bytes : undefined;
  return folderName(bytes) === name ? `${bytes}/` : undefined;
}

function fileName(bytes: string): string {
  const name = safe(bytes.replaceAll(/[^a-z0-9_.-]|^\.|\.$/g, encode));
  return name.includes('.') ? name : name + NO_DOT;
}

function folderName(bytes: string): string {
  return safe(bytes.replaceAll(/[^a-z0-9_-]/g, encode));
}

function groupName(bytes: string): string {
  return folderName(bytes) + GROUP;
}

function encode(byte: string): string {
  if (byte === '/') return ',';
  if (/[A-Z]/.test(byte)) return `=${byte.toLowerCase()}`;
  return hexOf(byte);
}

function hexOf(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function safe(name: string): string {
  if (name === '') return EMPTY;
  return DEVICE.test(name) ? hexOf(name[0]!) + name.slice(1) : name;
}

function decode(name: string): string {
  const plain = name.replace(/\.=$|~$/, '');
  if (plain === EMPTY) return '';
  return plain.replaceAll(/%([0-9a-f]{2})|=([a-z])|,/g, (_, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return letter === undefined ? '/' : letter.toUpperCase();
  });
}
