// Writes and removes the two files of a workflow in a folder, each as a whole: a reader sees the old one or the new one.

import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import type { WorkflowFiles } from '../core/template.ts';

/** In the order of writing: a graph without inputs is none yet. */
const FILES = [
  ['inputs', '.inputs.json'],
  ['graph', '.json'],
] as const;

/** @throws AppError workflows_fixed where the folder cannot be written */
export async function writeWorkflow(folder: string, name: string, files: WorkflowFiles): Promise<void> {
  // Names that begin with a dot are no workflows.
  const drafts = FILES.map(([kind, suffix]) => ({
    text: files[kind],
    draft: join(folder, `.${name}.${randomUUID()}`),
    path: join(folder, name + suffix),
  }));
  try {
    for (const { draft, text } of drafts) await writeFile(draft, text, { flag: 'wx', flush: true });
    for (const { draft, path } of drafts) await rename(draft, path);
  } catch (error) {
    throw explained(error, folder);
  } finally {
    await Promise.all(drafts.map(({ draft }) => rm(draft, { force: true }).catch(() => {})));
  }
}

/** @throws AppError workflows_fixed where the folder cannot be written */
export async function removeWorkflow(folder: string, name: string): Promise<void> {
  try {
    for (const [, suffix] of FILES) await rm(join(folder, name + suffix), { force: true });
  } catch (error) {
    throw explained(error, folder);
  }
}

const READ_ONLY = ['EACCES', 'EPERM', 'EROFS', 'ENOENT'];

function explained(error: unknown, folder: string): unknown {
  if (!READ_ONLY.includes((error as NodeJS.ErrnoException).code ?? '')) return error;
  return new AppError(
    'workflows_fixed',
    `The folder with the workflows cannot be written (${folder}); set WORKFLOWS_PATH to one that can, or put the two files there yourself`,
  );
}
