// Who this machine is: the same for every run of its processes in one folder.

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';

export interface Identity {
  machineId: string;
  /** Of the embedded S3: a presigned link outlives a restart. */
  secretAccessKey: string;
}

export async function identityOf(directory: string): Promise<Identity> {
  const file = join(directory, 'identity.json');
  const stored = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new AppError('bad_setting', `${file} cannot be read: ${error.code ?? error.message}`, {
      field: 'WORKSPACE_PATH',
    });
  });
  if (stored !== undefined) return read(stored, file);
  await mkdir(directory, { recursive: true });
  const identity = { machineId: randomUUID(), secretAccessKey: randomBytes(24).toString('hex') };
  await writeWhole(file, JSON.stringify(identity));
  return identity;
}

function read(stored: string, file: string): Identity {
  try {
    return JSON.parse(stored) as Identity;
  } catch {
    throw new AppError(
      'bad_setting',
      `${file} is damaged. Delete it: image links that were given out before stop working, nothing else is lost`,
      { field: 'WORKSPACE_PATH' },
    );
  }
}

/** All of it or nothing, also after a power cut, and for nobody else's eyes. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}
