// Who this machine is: the same for every run of its processes in one folder.

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Identity {
  machineId: string;
  /** Of the embedded S3: a presigned link outlives a restart. */
  secretAccessKey: string;
}

export async function identityOf(directory: string): Promise<Identity> {
  const file = join(directory, 'identity.json');
  const stored = await readFile(file, 'utf8').catch(() => undefined);
  if (stored !== undefined) return JSON.parse(stored) as Identity;
  await mkdir(directory, { recursive: true });
  const identity = { machineId: randomUUID(), secretAccessKey: randomBytes(24).toString('hex') };
  await writeWhole(file, JSON.stringify(identity));
  return identity;
}

/** All of it or nothing, and for nobody else's eyes. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
