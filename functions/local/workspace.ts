// The folder with all that must be there after a restart. One process at a time; whoever comes second is told who
// the first is.

import { chmod, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { type Identity, identityOf, writeWhole } from '../runtime/identity.ts';
import { tryLockIn } from '../runtime/lock.ts';

export interface Announced {
  url: string;
  /** Of the embedded DynamoDB, and what it asks for. */
  dynamodb: string;
  tablesToken: string;
}

export interface Workspace {
  directory: string;
  identity: Identity;
  /** Says to others where the API and its tables are. */
  announce(where: Announced): Promise<void>;
  release(): Promise<void>;
}

/** @throws AppError in_use, or bad_setting where the folder cannot be written */
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
  // Of an earlier release, or made by hand: what is in it is out of others' reach by this alone.
  await chmod(directory, 0o700).catch(() => undefined);
  const announced = join(directory, 'api.json');
  return {
    directory,
    identity: await identityOf(directory),
    announce: (where) => writeWhole(announced, JSON.stringify({ ...where, pid: process.pid })),
    release: () => lock.release(),
  };
}

/** Where the API is that last used this workspace; it may have ended since. */
export async function announcedIn(path: string): Promise<Partial<Announced>> {
  try {
    const { url, dynamodb, tablesToken } = JSON.parse(
      await readFile(join(path, 'api.json'), 'utf8'),
    ) as Announced;
    return { url, dynamodb, tablesToken };
  } catch {
    return {};
  }
}

export async function runningApi(path: string): Promise<string | undefined> {
  return (await announcedIn(path)).url;
}
