// Saves and removes workflows, where their folder can be written: checked as at the start, and in effect at once.

import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import type { Graph } from '../../core/object-info.ts';
import { misshapen } from '../../core/preflight/shape.ts';
import {
  parseTemplate,
  type Template,
  WORKFLOW_NAME,
  WORKFLOW_NAME_RULE,
  type WorkflowFolder,
} from '../../core/template.ts';
import { withTranslationsOf } from '../../core/workflow-file/kept-translations.ts';
import { filesOf } from '../../core/workflow-file/written.ts';
import type { ApiDeps } from '../deps.ts';

type Deps = Pick<ApiDeps, 'workflows' | 'log'>;

/** Names of routes beside those of workflows. */
const TAKEN = ['propose'];

/** @returns whether it replaced one, and the languages of the translations that it kept of that. @throws AppError bad_workflow, workflow_exists, workflows_fixed */
export async function saveWorkflow(
  { workflows, log }: Deps,
  owner: string,
  name: string,
  { graph, inputs_file: inputsFile, replace, ...others }: Record<string, unknown>,
): Promise<{ replaced: boolean; kept: string[] }> {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new AppError('unknown_field', `Unknown field: ${unknown.slice(0, 60)}`, {
      field: unknown.slice(0, 60),
    });
  if (!WORKFLOW_NAME.test(name) || TAKEN.includes(name)) throw invalid('name', WORKFLOW_NAME_RULE);
  const folder = folderOf(workflows);
  const odd = misshapen(graph);
  if (odd)
    throw new AppError('bad_workflow', `The graph cannot be used: ${odd.message} ${odd.details}`.trim());
  const { inputsFile: file, kept } = withTranslationsOf(
    replace === true ? workflows.templates.get(name) : undefined,
    inputsFile as object,
    parsed(name, graph, inputsFile),
  );
  const { replaced } = await folder.save(name, filesOf(graph as Graph, file), replace === true);
  log.info('workflow.saved', { workflow: name, owner });
  return { replaced, kept };
}

/** @throws AppError bad_workflow */
function parsed(name: string, graph: unknown, inputsFile: unknown): Template {
  try {
    return parseTemplate(name, graph, inputsFile);
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad_template')
      throw new AppError('bad_workflow', error.message);
    throw error;
  }
}

/** @throws AppError workflow_not_found, last_workflow, workflows_fixed */
export async function removeWorkflow({ workflows, log }: Deps, owner: string, name: string): Promise<void> {
  if (!workflows.templates.has(name)) throw new AppError('workflow_not_found', 'Workflow not found');
  const folder = folderOf(workflows);
  if (workflows.templates.size === 1)
    throw new AppError('last_workflow', 'It is the only workflow; add another one first');
  await folder.remove(name);
  log.info('workflow.removed', { workflow: name, owner });
}

function folderOf({ folder }: Deps['workflows']): WorkflowFolder {
  if (folder) return folder;
  throw new AppError(
    'workflows_fixed',
    'The workflows of this deployment are part of its bundle: put the two files into workflows/ and deploy again (npm run deploy)',
  );
}
