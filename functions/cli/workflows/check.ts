// `check`: whether a ComfyUI can run workflows, by name, or files that are not added yet, and why not.

import { CommandError } from '../command-error.ts';
import { say } from '../write.ts';
import { chosenInputs } from './choose.ts';
import { type Asked, checkedList, isChecked } from './comfyui.ts';
import type { File } from './file.ts';
import { problemsOf, proposalLines } from './report.ts';

/** A word of the command line. */
export interface Checked {
  word: string;
  /** Absent: the word is a workflow's name. */
  file?: File | undefined;
}

/** @param words none: all workflows. @returns 1 where one of them cannot run, or could not be checked */
export async function check(asked: Asked, words: readonly Checked[], stopped: AbortSignal): Promise<number> {
  const { api, tell } = asked;
  const list = await checkedList(asked, stopped);
  const { details, refused } = list;
  let isFine = isChecked(list);
  for (const reason of refused) tell(`Not used: ${reason}`);
  if (words.length === 0 && refused.length > 0) isFine = false;
  const show = async (name: string, hosts: readonly string[], problems: readonly string[]) => {
    if (hosts.length === 0) isFine = false;
    await say(`${name}: ${hosts.length > 0 ? 'ok' : problems.length > 0 ? 'cannot run' : 'not checked'}`);
    for (const problem of problems) await say(`  ${problem}`);
  };
  for (const { word, file } of words.length > 0
    ? words
    : details.map(({ name }) => ({ word: name, file: undefined }))) {
    if (file) {
      const proposal = await api.propose(file);
      await show(word, proposal.hosts, problemsOf(proposal));
      for (const line of proposalLines(proposal, chosenInputs(proposal.candidates, [])))
        await say(line === '' ? '' : `  ${line}`);
      continue;
    }
    const found = details.find(({ name }) => name === word);
    if (!found)
      throw new CommandError(`There is no workflow ${word}; list shows them, and a file is ./${word}`);
    await show(word, found.hosts, problemsOf({ ...found, faults: [], refused: found.faults }));
  }
  return isFine ? 0 : 1;
}
