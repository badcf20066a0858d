// Writes and removes the two files of a workflow in a folder, each as a whole: a reader sees the old one or the new one. What was
// interrupted between the two is finished by the next process that opens the folder: half a pair would stop its start.

import { randomUUID } from 'node:crypto';
import { access, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import type { WorkflowFiles } from '../core/template.ts';

/** In the order of writing. */
const KINDS = ['inputs', 'graph'] as const;
const SUFFIX = { inputs: '.inputs.json', graph: '.json' };

/** Names that begin with a dot are no workflows. */
const draftOf = (name: string, id: string, kind: (typeof KINDS)[number]) => `.${name}.${id}.${kind}`;
const DRAFT = /^\.([a-z0-9_-]+)\.([0-9a-f-]{36})\.(inputs|graph|removed)$/;

/**
 * @param replace one of the same name, else that is refused. @returns whether there was one
 * @throws AppError workflow_exists, or workflows_fixed where the folder cannot be written
 */
export async function writeWorkflow(
  folder: string,
  name: string,
  files: WorkflowFiles,
  replace: boolean,
): Promise<{ replaced: boolean }> {
  const id = randomUUID();
  const pathOf = (kind: (typeof KINDS)[number]) => join(folder, name + SUFFIX[kind]);
  const drafts = KINDS.map((kind) => ({ kind, draft: join(folder, draftOf(name, id, kind)) }));
  const replaced = (await Promise.all(KINDS.map((kind) => isThere(pathOf(kind))))).includes(true);
  if (replaced && !replace)
    throw new AppError(
      'workflow_exists',
      `There is a workflow ${name}; choose another name, or send "replace": true`,
    );
  try {
    for (const { kind, draft } of drafts) await writeFile(draft, files[kind], { flag: 'wx', flush: true });
    for (const { kind, draft } of drafts) await rename(draft, pathOf(kind));
    return { replaced };
  } catch (error) {
    throw explained(error, folder);
  } finally {
    await Promise.all(drafts.map(({ draft }) => rm(draft, { force: true }).catch(() => {})));
  }
}

/** @throws AppError workflows_fixed where the folder cannot be written */
export async function removeWorkflow(folder: string, name: string): Promise<void> {
  const mark = join(folder, `.${name}.${randomUUID()}.removed`);
  try {
    const inputs = join(folder, name + SUFFIX.inputs);
    if (await isThere(inputs)) await rename(inputs, mark);
    await rm(join(folder, name + SUFFIX.graph), { force: true });
    await rm(mark, { force: true });
  } catch (error) {
    throw explained(error, folder);
  }
}

/**
 * Finishes what a process that died has begun. Both drafts were whole before the first got its name: where the graph's lies alone,
 * the inputs have theirs. Any other draft never came to that, or is being written by a process that lives.
 * @throws AppError workflows_fixed where the folder cannot be written
 */
export async function finishWrites(folder: string): Promise<void> {
  const files = await readdir(folder).catch(() => [] as string[]);
  for (const file of files) {
    const [, name = '', id = '', kind] = DRAFT.exec(file) ?? [];
    const draft = join(folder, file);
    const graph = join(folder, name + SUFFIX.graph);
    try {
      if (kind === 'graph' && !files.includes(draftOf(name, id, 'inputs'))) await rename(draft, graph);
      if (kind !== 'removed') continue;
      // It may have been written anew since.
      if (!files.includes(name + SUFFIX.inputs)) await rm(graph, { force: true });
      await rm(draft, { force: true });
    } catch (error) {
      throw explained(error, folder);
    }
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

const READ_ONLY = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'];

function explained(error: unknown, folder: string): unknown {
  if (!READ_ONLY.includes((error as NodeJS.ErrnoException).code ?? '')) return error;
  return new AppError(
    'workflows_fixed',
    `The folder with the workflows cannot be written (${folder}); set WORKFLOWS_PATH to one that can, or put the two files there yourself`,
  );
}
