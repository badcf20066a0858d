// The files of a command: where it writes its images, each atomically, and which inputs are files to upload. Overwrites
// only a file that --output names.

import { access, constants, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, relative, resolve } from 'node:path';
import { type FileType, isFileType } from '../core/file-types.ts';
import { CommandError, type Workflow } from './api.ts';
import { flagOf } from './flags.ts';

/** The folder in which the command was typed: npm runs it in the folder of package.json. */
export function currentFolder(environment: Record<string, string | undefined>): string {
  const underNpm = ['generate', 'workflows'].includes(environment['npm_lifecycle_event'] ?? '');
  return (underNpm && environment['INIT_CWD']) || process.cwd();
}

export interface Destination {
  folder: string;
  /** The file name that --output gives; without it each image has its own. */
  name?: string;
}

/** Checked before the job is posted, so that no image is made that cannot be written. @throws CommandError */
export async function destinationOf(output: string | undefined, current: string): Promise<Destination> {
  const path = resolve(current, output ?? '.');
  const kind = await kindOf(path);
  // As root, a rename would replace /dev/null by the image.
  if (kind === 'other') throw new CommandError(`--output must be a file or a folder; ${path} is neither`);
  const asFolder = output === undefined || /[\\/]$/.test(output) || kind === 'folder';
  const folder = asFolder ? path : dirname(path);
  try {
    if (asFolder) await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new CommandError(
      `--output must be in a folder that can be written; ${folder}: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
  return asFolder ? { folder } : { folder, name: basename(path) };
}

/** @param own the image's own name; @param ordinal from 1 to `count`. @returns the path of the file */
export async function saveImage(
  destination: Destination,
  own: string,
  ordinal: number,
  count: number,
  bytes: Uint8Array,
): Promise<string> {
  const { folder, name = own } = destination;
  const { name: stem, ext } = parse(name);
  const named = destination.name !== undefined && count === 1;
  const wanted = destination.name === undefined || count === 1 ? name : `${stem}-${ordinal}${ext}`;
  const path = named ? join(folder, wanted) : await freePath(folder, wanted);
  const part = join(folder, `.${basename(path)}.${process.pid}.part`);
  try {
    await writeFile(part, bytes);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw new CommandError(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  return path;
}

/** The path relative to `current` if that is shorter; always one that opens from there. */
export function asSeenFrom(current: string, path: string): string {
  const short = relative(current, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

async function freePath(folder: string, name: string): Promise<string> {
  const { name: stem, ext } = parse(name);
  let path = join(folder, name);
  for (let n = 2; (await kindOf(path)) !== undefined; n += 1) path = join(folder, `${stem}-${n}${ext}`);
  return path;
}

export interface InputFile {
  input: string;
  type: FileType;
  name: string;
  path: string;
  sizeBytes: number;
}

/** The file inputs that name a local file; any other name is that of a file in the API. */
export async function inputFiles(
  workflow: Workflow,
  body: Record<string, string>,
  current: string,
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const [input, schema] of Object.entries(workflow.inputs.properties)) {
    const value = body[input];
    const type = schema['x-input'];
    if (!isFileType(type) || !value) continue;
    const path = resolve(current, value);
    if ((await kindOf(path)) !== 'file') continue;
    const { size } = await access(path, constants.R_OK)
      .then(() => stat(path))
      .catch((error: NodeJS.ErrnoException) => {
        throw new CommandError(`${flagOf(input)}: ${path} cannot be read: ${error.code}`);
      });
    files.push({ input, type, name: basename(path), path, sizeBytes: size });
  }
  return files;
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
}
