// The file that is to become a workflow, and the name that it gives it.

import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { workflowNameOf } from '../../core/ascii.ts';
import { MAX_WORKFLOW_FILE_BYTES } from '../../core/limits.ts';
import { MB } from '../../core/quota.ts';
import { CommandError } from '../command-error.ts';

export type File = Uint8Array<ArrayBuffer>;

/** @throws CommandError */
export async function readFileAt(path: string): Promise<File> {
  const refused = (why: string) => new CommandError(`${path} cannot be read: ${why}`);
  const failed = ({ code }: NodeJS.ErrnoException) => {
    throw refused(code === 'ENOENT' ? 'there is no such file' : String(code));
  };
  const found = await stat(path).catch(failed);
  // Reading a pipe waits for its writer, and a device may have no end.
  if (!found.isFile()) throw refused('it is no file');
  if (found.size > MAX_WORKFLOW_FILE_BYTES)
    throw refused(`a workflow file has at most ${MAX_WORKFLOW_FILE_BYTES / MB} MB`);
  return new Uint8Array(await readFile(path).catch(failed));
}

/** `My Workflow (2).json` → `my_workflow_2`. @throws CommandError where nothing is left */
export function nameOf(path: string): string {
  const name = workflowNameOf(basename(path));
  if (name === '') throw new CommandError(`Under which name? --name NAME`);
  return name;
}
