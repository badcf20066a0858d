// The keys of a folder in their order, behind a key and below a prefix: only folders that may hold such a key are read,
// each when it is its turn.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './errors.ts';
import { bytesOfEntry, descend } from './names.ts';

export interface FoundFile {
  /** Of the key. */
  bytes: string;
  path: string;
}

interface Entry extends FoundFile {
  isFile: boolean;
}

/** @param prefix, after: bytes of keys */
export async function* walk(root: string, prefix: string, after: string): AsyncGenerator<FoundFile> {
  const { folders, rest } = descend(prefix);
  const top = { bytes: prefix.slice(0, prefix.length - rest.length), path: join(root, ...folders) };

  async function entriesOf(folder: FoundFile): Promise<Entry[]> {
    // Such a beginning is in a name as it is in the key: other files of a large group need no decoding.
    const beginning = /^[a-z0-9_-]{8,}/.exec(prefix.slice(folder.bytes.length))?.[0] ?? '';
    const entries = await readdir(folder.path, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return entries.flatMap((entry) => {
      const isFile = entry.isFile();
      if (isFile && !entry.name.startsWith(beginning)) return [];
      const own = isFile || entry.isDirectory() ? bytesOfEntry(entry.name, isFile) : undefined;
      if (own === undefined) return [];
      const bytes = folder.bytes + own;
      const isWanted = isFile
        ? bytes.startsWith(prefix) && bytes > after
        : (bytes.startsWith(prefix) || prefix.startsWith(bytes)) &&
          (bytes > after || after.startsWith(bytes));
      return isWanted ? [{ bytes, path: join(folder.path, entry.name), isFile }] : [];
    });
  }

  async function* inOrder(entries: Entry[]): AsyncGenerator<FoundFile> {
    entries.sort((a, b) => (a.bytes < b.bytes ? -1 : 1));
    for (let at = 0; at < entries.length;) {
      const { bytes, path, isFile } = entries[at]!;
      at += 1;
      if (isFile) {
        yield { bytes, path };
        continue;
      }
      // Keys beside a group may lie between those in it.
      const beside = at;
      while (at < entries.length && entries[at]!.bytes.startsWith(bytes)) at += 1;
      yield* inOrder([...(await entriesOf({ bytes, path })), ...entries.slice(beside, at)]);
    }
  }

  yield* inOrder(await entriesOf(top));
}
