// `add`: a file becomes a workflow: proposed by the API, checked, saved there or into a folder, and tried once where that is asked
// for. Nothing is saved before all of it is known to fit.

import { inWords } from '../../core/workflow-file/candidates.ts';
import { programAsTyped } from '../../runtime/package.ts';
import { CommandError, NoAnswer } from '../api.ts';
import { flagOf } from '../flags.ts';
import { say } from '../write.ts';
import { chosenInputs, type Inputs } from './choose.ts';
import { type Asked, checkedList, isChecked } from './comfyui.ts';
import type { File } from './file.ts';
import { isThere, pairIn, saveInFolder } from './folder.ts';
import { problemsOf, proposalLines } from './report.ts';

export interface Wanted {
  name: string;
  title?: string | undefined;
  /** As --input has them. */
  input: readonly string[];
  try: boolean;
  replace: boolean;
  anyway: boolean;
  /** An absolute path. */
  folder?: string | undefined;
}

/** @param whereOf what to say of the place that has it. @throws CommandError */
export async function add(
  asked: Asked,
  file: File,
  wanted: Wanted,
  whereOf: (name: string) => Promise<string>,
  stopped: AbortSignal,
): Promise<void> {
  const { api, tell, isOwn } = asked;
  const { name, replace, title = inWords(name), folder } = wanted;
  const { can_save: canSave, workflows: names } = await api.workflowList();
  if (folder === undefined && !canSave)
    throw new CommandError(
      `The workflows of ${api.url} are part of what was deployed: --folder workflows writes the two files there, and npm run deploy puts them into it`,
    );
  if (folder === undefined && names.includes(name) && !replace) throw isThere(name);
  const list = await checkedList(asked, stopped);
  const proposal = await api.propose(file);
  const inputs = chosenInputs(proposal.candidates, wanted.input);
  refuseTry(wanted, inputs);
  for (const line of proposalLines(proposal, inputs)) await say(line);
  const problems = problemsOf(proposal);
  for (const problem of problems) tell(problem);
  if (problems.length > 0 && !wanted.anyway)
    throw new CommandError(
      'Nothing was saved: add it again when that is mended, or with --anyway as it stands',
    );
  stopped.throwIfAborted();

  const inputsFile = { ...proposal.inputs_file, title, inputs };
  await say('');
  if (folder !== undefined) {
    const { kept } = await saveInFolder(folder, name, proposal.graph, inputsFile, replace);
    await say(`Written: ${pairIn(folder, name)}`);
    return sayKept(kept);
  }
  const saved = await api.saveWorkflow(name, proposal.graph, inputsFile, replace).catch((error: unknown) => {
    // Not repeated: the second time it would be there already.
    if (!(error instanceof NoAnswer)) throw error;
    throw new CommandError(`${error.message}; it may have saved ${name} all the same, as list shows`);
  });
  await say(`${isOwn ? 'Saved' : 'Saved, and in use at once'}: ${await whereOf(name)}`);
  await sayKept(saved.kept_translations);
  await say(`  ${programAsTyped('generate')} --workflow ${name}`);
  if (!isChecked(list)) tell('No ComfyUI has checked it');
}

async function sayKept(languages: readonly string[]): Promise<void> {
  if (languages.length > 0) await say(`  Its translations were kept: ${languages.join(', ')}`);
}

/** An image cannot be made up. */
function refuseTry({ try: isTried, folder, name }: Wanted, inputs: Inputs): void {
  if (!isTried) return;
  if (folder !== undefined)
    throw new CommandError('--folder takes no --try: the API does not have the workflow');
  const needed = Object.entries(inputs).find(([, one]) => one.required && one.default === undefined);
  if (needed)
    throw new CommandError(
      `--try has no value for ${needed[0]}, which it needs: add it without, then ${programAsTyped('generate')} --workflow ${name} ${flagOf(needed[0])} FILE`,
    );
}
