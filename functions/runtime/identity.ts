// Who this machine is: the same for every run of its processes in one folder. A folder that was copied is another
// machine: with the former's name it would take the former's prompts in ComfyUI for its own.

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { AppError } from '../core/errors.ts';

/** Where the folder was when this was written. */
const place = z.object({ path: z.string(), inode: z.string(), machine: z.string() });

const identity = z.object({
  machineId: z.string().min(1),
  /** Signs links to images, so that they outlive a restart. The name is that of release 0.1. */
  secretAccessKey: z.string().min(1),
  /** A real ComfyUI has worked for this folder. */
  usedReal: z.boolean().optional(),
  place: place.optional(),
});

type Stored = z.infer<typeof identity>;

export interface Identity {
  machineId: string;
  secretAccessKey: string;
  usedReal: boolean;
  /** The folder is a copy of another: it has got a machine id of its own just now. */
  isCopy: boolean;
}

/** @throws AppError bad_setting, with what is lost where the file is damaged */
export async function identityOf(directory: string): Promise<Identity> {
  const file = join(directory, 'identity.json');
  await mkdir(directory, { recursive: true });
  const here = await placeOf(directory);
  const stored = await readStored(file);
  const isCopy = stored?.place !== undefined && isElsewhere(stored.place, here);
  if (stored?.place && !isCopy && stored.place.path === here.path && stored.place.machine === here.machine)
    return known(stored, isCopy);
  const written = {
    machineId: isCopy ? randomUUID() : (stored?.machineId ?? randomUUID()),
    secretAccessKey: stored?.secretAccessKey ?? randomBytes(24).toString('hex'),
    usedReal: stored?.usedReal ?? false,
    place: here,
  };
  await writeWhole(file, JSON.stringify(written));
  return known(written, isCopy);
}

/** What a person should know at the start. */
export function noteOfCopy(directory: string, { isCopy }: Identity): string | undefined {
  if (!isCopy) return undefined;
  return `${directory} is a copy of another workspace: it is a machine of its own from now on, and what the copied jobs left in ComfyUI stays the other one's`;
}

function known({ machineId, secretAccessKey, usedReal = false }: Stored, isCopy: boolean): Identity {
  return { machineId, secretAccessKey, usedReal, isCopy };
}

/** From now on this folder is not for a simulated ComfyUI, unless a setting says so. */
export async function rememberReal(directory: string): Promise<void> {
  const file = join(directory, 'identity.json');
  const stored = await readStored(file);
  if (stored && stored.usedReal !== true)
    await writeWhole(file, JSON.stringify({ ...stored, usedReal: true }));
}

async function placeOf(directory: string): Promise<z.infer<typeof place>> {
  const { dev, ino } = await stat(directory, { bigint: true });
  return { path: resolve(directory), inode: `${dev}:${ino}`, machine: hostname() };
}

/**
 * A folder that was moved keeps its inode; one that was put back from a backup keeps its path, and the former is gone.
 * A container that was made anew has another name for its machine and the same volume.
 */
function isElsewhere(then: z.infer<typeof place>, now: z.infer<typeof place>): boolean {
  return then.inode !== now.inode && (then.path !== now.path || then.machine !== now.machine);
}

async function readStored(file: string): Promise<Stored | undefined> {
  const refuse = (what: string) =>
    new AppError('bad_setting', `${file} ${what}`, { field: 'WORKSPACE_PATH' });
  let text: string;
  try {
    // Reading a pipe would wait for its writer.
    if (!(await stat(file)).isFile()) throw refuse('is no file: move it away');
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw refuse(`cannot be read: ${code ?? message}`);
  }
  try {
    return identity.parse(JSON.parse(text));
  } catch {
    throw refuse(
      'is damaged. Delete it: image links that were given out before stop working, nothing else is lost',
    );
  }
}

/** All of it or nothing, also after a power cut, readable by this user alone. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}
