// Writes a workflow's two files into a folder that --folder names: for a deployment whose workflows are in its bundle, or to look
// at them before an API has them. Checked as the API checks what it saves.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { Graph } from '../../core/object-info.ts';
import { parseTemplate } from '../../core/template.ts';
import { withTranslationsOf } from '../../core/workflow-file/kept-translations.ts';
import { filesOf } from '../../core/workflow-file/written.ts';
import { finishWrites, writeWorkflow } from '../../runtime/workflow-folder.ts';
import { loadTemplate } from '../../runtime/workflows.ts';
import { CommandError } from '../command-error.ts';

/** @returns the languages of the translations that it keeps of what it replaces. @throws CommandError, or AppError bad_template, which names the file and the field */
export async function saveInFolder(
  folder: string,
  name: string,
  graph: object,
  inputsFile: object,
  replace: boolean,
): Promise<{ kept: string[] }> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory())
    throw new CommandError(`--folder must be a folder that is there; ${folder} is none`);
  const template = parseTemplate(name, graph, inputsFile);
  try {
    await finishWrites(folder);
    // Of one that cannot be read nothing can be kept.
    const former = replace ? await loadTemplate(folder, name).catch(() => undefined) : undefined;
    const { inputsFile: file, kept } = withTranslationsOf(former, inputsFile, template);
    await writeWorkflow(folder, name, filesOf(graph as Graph, file), replace);
    return { kept };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'workflow_exists') throw isThere(name);
    throw new CommandError(`--folder must be one that can be written; ${folder} cannot`);
  }
}

/** How the two files are named in a sentence. */
export const pairIn = (folder: string, name: string): string =>
  `${join(folder, `${name}.json`)} and ${name}.inputs.json`;

export function isThere(name: string): CommandError {
  return new CommandError(
    `There is a workflow ${name}: --name gives this one another name, --replace puts it in the place of that one`,
  );
}
