// Reads the workflow templates of a folder: `<name>.json` with `<name>.inputs.json`. The default comes first.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { parseTemplate, type Template } from '../core/template.ts';

const DEFAULT = 'flux2_turbo_default';

/** The folder of package.json, from the sources as from .build. */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** @throws AppError bad_template, naming the file and the field */
export async function loadTemplates(
  directory = join(packageRoot(), 'workflows'),
): Promise<Map<string, Template>> {
  const files = await readdir(directory).catch(() => {
    throw new AppError(
      'bad_template',
      `WORKFLOWS_PATH must be a folder with workflows; ${directory} is none`,
    );
  });
  const names = files
    // What systems leave beside files (`._x.json`) is no workflow.
    .filter((file) => !file.startsWith('.'))
    .filter((file) => file.endsWith('.json') && !file.endsWith('.inputs.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort((a, b) => Number(b === DEFAULT) - Number(a === DEFAULT) || (a < b ? -1 : 1));
  const orphan = files.find(
    (file) =>
      !file.startsWith('.') &&
      file.endsWith('.inputs.json') &&
      !names.includes(file.slice(0, -'.inputs.json'.length)),
  );
  if (orphan)
    throw new AppError(
      'bad_template',
      `workflows/${orphan} has no ${orphan.replace('.inputs', '')} beside it`,
    );
  if (names.length === 0) throw new AppError('bad_template', `${directory} has no workflow in it`);
  const templates = await Promise.all(
    names.map(async (name) =>
      parseTemplate(
        name,
        await readJson(directory, name, '.json'),
        await readJson(directory, name, '.inputs.json'),
      ),
    ),
  );
  return new Map(templates.map((template) => [template.name, template]));
}

async function readJson(directory: string, name: string, suffix: string): Promise<unknown> {
  const refuse = (what: string) => new AppError('bad_template', `workflows/${name}${suffix}: ${what}`);
  const text = await readFile(join(directory, name + suffix), 'utf8').catch(() => {
    throw refuse(`is missing; a workflow is two files, ${name}.json and ${name}.inputs.json`);
  });
  try {
    // Some editors write a mark of the byte order.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse(`is no JSON: ${(error as Error).message}`);
  }
}
