// The folder that holds all data of the local stack. One process at a time uses it; a second one is refused with the URL
// of the first.

import { chmod, readFile, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { type Identity, identityOf, writeWhole } from '../runtime/identity.ts';
import { tryLockIn } from '../runtime/lock.ts';

export interface Announced {
  url: string;
}

export interface Workspace {
  directory: string;
  identity: Identity;
  /** Writes where the API is, for other programs. */
  announce(where: Announced): Promise<void>;
  release(): Promise<void>;
}

/** @throws AppError in_use, or bad_setting if the folder cannot be written */
export async function openWorkspace(path: string): Promise<Workspace> {
  const directory = resolve(path);
  const lock = await tryLockIn(path, 'lock');
  if (!lock) {
    const url = await runningApi(path);
    throw new AppError(
      'in_use',
      `The workspace ${path} is used by ${url ? `the API at ${url}` : 'another process'}; stop that one, or set WORKSPACE_PATH to another folder`,
      { field: 'WORKSPACE_PATH' },
    );
  }
  // An earlier release, or a person, may have made the folder readable by others: this alone closes all that is in it.
  await chmod(directory, 0o700).catch(() => undefined);
  const announced = join(directory, 'api.json');
  return {
    directory,
    identity: await identityOf(directory),
    announce: (where) => writeWhole(announced, JSON.stringify({ ...where, pid: process.pid })),
    release: () => lock.release(),
  };
}

/** Where the API that last used this workspace is; it may have ended since. */
/** Linux's numbers of file systems that keep neither locks nor mapped files reliably. Source: statfs(2). */
const NETWORK: Record<number, string> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9p',
};

/** What is wrong with the disk of a workspace; undefined: nothing that is known. */
export async function noteOfDisk(directory: string): Promise<string | undefined> {
  const kind = process.platform === 'linux' ? NETWORK[(await statfs(directory)).type >>> 0] : undefined;
  return (
    kind &&
    `${directory} is on ${kind}, which keeps neither locks nor mapped files reliably: set WORKSPACE_PATH to a folder on a disk of this machine`
  );
}

export async function runningApi(path: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await readFile(join(path, 'api.json'), 'utf8')) as Announced).url;
  } catch {
    return undefined;
  }
}
