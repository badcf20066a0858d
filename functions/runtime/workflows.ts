// Reads the workflow templates of a folder: `<name>.json` with `<name>.inputs.json`. The default comes first.

import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import { parseTemplate, type Template } from '../core/template.ts';

const DEFAULT = 'flux2_turbo_default';

/** The folder of package.json, from the sources as from .build. */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** @throws AppError bad_template, naming the file and the field */
export async function loadTemplates(directory = workflowsFolder()): Promise<Map<string, Template>> {
  const { names, orphans } = await listTemplates(directory);
  if (orphans[0]) throw orphanError(orphans[0]);
  const templates = await Promise.all(names.map((name) => loadTemplate(directory, name)));
  return new Map(templates.map((template) => [template.name, template]));
}

export function workflowsFolder(): string {
  return join(packageRoot(), 'workflows');
}

/**
 * @returns the templates' names in their order, and those of inputs files beside which no graph lies
 * @throws AppError bad_template where there is no folder, or no template in it
 */
export async function listTemplates(directory: string): Promise<{ names: string[]; orphans: string[] }> {
  const found = await readdir(directory).catch(() => {
    throw new AppError(
      'bad_template',
      `WORKFLOWS_PATH must be a folder with workflows; ${directory} is none`,
    );
  });
  // What systems leave beside files (`._x.json`) is no workflow.
  const files = found.filter((file) => !file.startsWith('.'));
  const named = (suffix: string) =>
    files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));
  const names = named('.json')
    .filter((name) => !name.endsWith('.inputs'))
    .sort(byPlace);
  const orphans = named('.inputs.json').filter((name) => !names.includes(name));
  if (names.length === 0 && orphans.length === 0)
    throw new AppError(
      'bad_template',
      `${directory} has no workflow in it; put NAME.json and NAME.inputs.json there`,
    );
  return { names, orphans };
}

/** The default first. */
export function byPlace(a: string, b: string): number {
  return Number(b === DEFAULT) - Number(a === DEFAULT) || (a < b ? -1 : 1);
}

export function orphanError(name: string): AppError {
  return new AppError(
    'bad_template',
    `workflows/${name}.inputs.json has no ${name}.json beside it; put the workflow there, or delete this file`,
  );
}

/** @throws AppError bad_template */
export async function loadTemplate(directory: string, name: string): Promise<Template> {
  return parseTemplate(
    name,
    await readJson(directory, name, '.json'),
    await readJson(directory, name, '.inputs.json'),
  );
}

async function readJson(directory: string, name: string, suffix: string): Promise<unknown> {
  const refuse = (what: string) => new AppError('bad_template', `workflows/${name}${suffix}: ${what}`);
  const missing = () => {
    throw refuse(`is missing; a workflow is two files, ${name}.json and ${name}.inputs.json`);
  };
  const path = join(directory, name + suffix);
  // Reading a pipe waits for its writer, and a device may have no end.
  if (!(await stat(path).catch(missing)).isFile()) throw refuse('is no regular file');
  const text = await readFile(path, 'utf8').catch(missing);
  try {
    // Some editors write a mark of the byte order.
    return parseJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse(`is no JSON: ${(error as Error).message}`);
  }
}
