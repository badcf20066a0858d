// The three folders (output, temp, input), the names of new files in them, and which paths a name may reach.
// Nothing outside them is served or written; only LoadImage of 0.8 reads outside its folder.
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize, resolve, sep } from 'node:path';

export type FolderType = 'output' | 'temp' | 'input';
export interface SavedFile {
  filename: string;
  subfolder: string;
  type: FolderType;
}

interface Counters {
  /** The folder's modification time after our last read: another value means that another program wrote there. */
  changed: number;
  byPrefix: Map<string, number>;
}
/** Of a file's name. */
export interface Named {
  extension: string;
  /** Without the underscore behind the number. */
  plain: boolean;
}
const IMAGE: Named = { extension: 'png', plain: false };

const rememberedFolders = 64;

export class Folders {
  readonly output: string;
  readonly temp: string;
  readonly input: string;
  readonly #counters = new Map<string, Counters>();

  constructor(directory: string) {
    this.output = join(directory, 'output');
    this.temp = join(directory, 'temp');
    this.input = join(directory, 'input');
  }

  async make(): Promise<void> {
    for (const folder of [this.output, this.temp, this.input]) await mkdir(folder, { recursive: true });
  }

  byType(type: string): string | undefined {
    return type === 'output' || type === 'temp' || type === 'input' ? this[type] : undefined;
  }

  /** A name may end in [output], [input] or [temp]. */
  annotated(name: string): { name: string; folder: string | undefined } {
    const type = /\[(output|input|temp)\]$/.exec(name)?.[1];
    if (type === undefined) return { name, folder: undefined };
    // ComfyUI cuts one character more: the blank before the bracket.
    return { name: name.slice(0, -(type.length + 3)), folder: this.byType(type) };
  }

  /** @param inside only within the folder: a name that leaves it counts as missing */
  hasInput(name: string, inside: boolean): boolean {
    const path = this.pathOfInput(name);
    const root = this.annotated(name).folder ?? this.input;
    return existsSync(path) && (!inside || isInside(root, path));
  }

  /** The path that LoadImage reads. */
  pathOfInput(name: string): string {
    const { name: plain, folder } = this.annotated(name);
    return resolve(folder ?? this.input, plain);
  }

  /** `prefix` may contain a subfolder; each file gets the next number of its folder and prefix. */
  async save(
    type: 'output' | 'temp',
    prefix: string,
    files: AsyncIterable<Buffer>,
    { extension, plain } = IMAGE,
  ): Promise<SavedFile[]> {
    const root = this[type];
    const normal = normalize(prefix);
    const subfolder = dirname(normal) === '.' ? '' : dirname(normal);
    const folder = resolve(root, subfolder);
    if (!isInside(root, folder)) throw new Error('Saving image outside the output folder is not allowed.');
    const name = basename(normal);
    const counters = await this.#countersOf(folder);
    const saved: SavedFile[] = [];
    for await (const bytes of files) {
      const number = (counters.byPrefix.get(name) ?? 0) + 1;
      const stem = name.replaceAll('%batch_num%', String(saved.length));
      const filename = `${stem}_${String(number).padStart(5, '0')}${plain ? '' : '_'}.${extension}`;
      await writeFile(join(folder, filename), bytes);
      count(counters.byPrefix, filename);
      counters.byPrefix.set(name, number);
      saved.push({ filename, subfolder, type });
    }
    counters.changed = (await stat(folder)).mtimeMs;
    return saved;
  }

  async #countersOf(folder: string): Promise<Counters> {
    const changed = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => mkdir(folder, { recursive: true }).then(() => -1),
    );
    const known = this.#counters.get(folder);
    if (known !== undefined && known.changed === changed) return known;
    const fresh: Counters = { changed, byPrefix: new Map() };
    for (const file of await readdir(folder)) count(fresh.byPrefix, file);
    this.#counters.delete(folder);
    const oldest = this.#counters.keys().next().value;
    if (this.#counters.size >= rememberedFolders && oldest !== undefined) this.#counters.delete(oldest);
    this.#counters.set(folder, fresh);
    return fresh;
  }
}

/** A file counts for every prefix that is followed by "_digits" and "_" or its extension: A_1_00002_.png for A (1) and for A_1 (2). */
function count(byPrefix: Map<string, number>, file: string): void {
  for (let at = file.indexOf('_'); at >= 0; at = file.indexOf('_', at + 1)) {
    const next = file.indexOf('_', at + 1);
    const end = next < 0 ? file.lastIndexOf('.') : next;
    const part = file.slice(at + 1, end < at ? undefined : end);
    const number = /^\d+$/.test(part) ? Number(part) : Number.NaN;
    // Above that a number has no next one, and every file would be the same.
    if (!Number.isSafeInteger(number)) continue;
    const prefix = file.slice(0, at);
    byPrefix.set(prefix, Math.max(byPrefix.get(prefix) ?? 0, number));
  }
}

export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}
