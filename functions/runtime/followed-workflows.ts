// The templates of a folder that may be edited while they are served. It is looked at every second, by the times of its
// files: not every file system reports changes (network shares, volumes of containers). Reading them stays workflows.ts's.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import type { Template, Workflows } from '../core/template.ts';
import type { Log } from '../log.ts';
import { every } from './ticker.ts';
import { finishWrites, removeWorkflow, writeWorkflow } from './workflow-folder.ts';
import {
  byPlace,
  listTemplates,
  loadTemplate,
  loadTemplates,
  orphanError,
  workflowsFolder,
} from './workflows.ts';

export interface FollowedWorkflows extends Workflows {
  stop(): Promise<void>;
}

const POLLED_EVERY = 1000;

/**
 * @param period of the polls, ms: a file that is the same in two of them is not being written
 * @throws AppError bad_template where one is bad at the start: later the last good version stands for it
 */
export async function followWorkflows(
  directory = workflowsFolder(),
  log: Log,
  period = POLLED_EVERY,
): Promise<FollowedWorkflows> {
  await finishWrites(directory);
  let loaded = await stampOf(directory);
  let seen = loaded;
  let current: Workflows = { templates: await loadTemplates(directory), refused: [] };

  async function poll(): Promise<void> {
    const stamp = await stampOf(directory);
    const isBeingWritten = stamp !== seen;
    seen = stamp;
    if (isBeingWritten || stamp === loaded) return;
    await takeOver(stamp);
  }

  async function takeOver(stamp: string): Promise<void> {
    const { refused: former } = current;
    current = await reload(directory, current.templates);
    loaded = stamp;
    log.info('workflows.reloaded', { workflows: [...current.templates.keys()].join(', ') });
    for (const reason of current.refused)
      if (!former.includes(reason)) log.warn('workflow.refused', { reason });
  }

  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: what was read first must not replace what was read later. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  }

  /** What this process wrote itself is whole, and in effect at once. */
  const change = <Result>(work: () => Promise<Result>) =>
    inTurn(async () => {
      const result = await work();
      seen = await stampOf(directory);
      await takeOver(seen);
      return result;
    });

  const ticker = every('workflows', period, () => inTurn(poll), log);
  return {
    get templates() {
      return current.templates;
    },
    get refused() {
      return current.refused;
    },
    folder: {
      save: (name, files, replace) => change(() => writeWorkflow(directory, name, files, replace)),
      remove: (name) => change(() => removeWorkflow(directory, name)),
    },
    stop: () => ticker.stop(),
  };
}

/** Of each file its times, size and path: a link that leads elsewhere is another file. */
async function stampOf(directory: string): Promise<string> {
  const files = await readdir(directory).catch(() => undefined);
  if (!files) return 'none';
  const stamps = files.map(async (file) => {
    const now = await stat(join(directory, file), { bigint: true }).catch(() => undefined);
    return `${file} ${now && [now.mtimeNs, now.ctimeNs, now.size, now.ino].join(' ')}`;
  });
  return (await Promise.all(stamps)).sort().join('\n');
}

async function reload(directory: string, former: Workflows['templates']): Promise<Workflows> {
  const refused: string[] = [];
  const templates: Template[] = [];
  const keepFormer = (error: unknown, ...names: string[]) => {
    if (!(error instanceof AppError)) throw error;
    refused.push(error.message);
    templates.push(...names.flatMap((name) => former.get(name) ?? []));
  };
  try {
    const { names, orphans } = await listTemplates(directory);
    for (const name of names)
      try {
        templates.push(await loadTemplate(directory, name));
      } catch (error) {
        keepFormer(error, name);
      }
    for (const name of orphans) keepFormer(orphanError(name), name);
  } catch (error) {
    keepFormer(error, ...former.keys());
  }
  templates.sort((a, b) => byPlace(a.name, b.name));
  return { templates: new Map(templates.map((template) => [template.name, template])), refused };
}
