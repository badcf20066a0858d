// From a job back to the form: the same again, another seed, or its image as an input. Other pages lead here by these.

import { goTo } from '../../shell/route.ts';
import { ask } from '../../state/jobs.ts';
import type { OutputView } from '../../parts/output.tsx';
import { isFileType, takesKind } from '../../state/file-types.ts';
import { formOf, loadForm } from '../../state/workflows.ts';
import { notify } from '../../parts/notices.tsx';
import { t } from '../../text/index.ts';
import { type Values, valuesOf } from './form.ts';
import { chooseWorkflow, focusWanted, lockSeed, replaceValues, setValues, valuesOfForm } from './forms.ts';

/** What a job was made of: its workflow's own inputs, with the seed that was drawn. */
export interface Made {
  workflow: string;
  inputs: Record<string, unknown>;
  /** Whole, as text; null: it has none. */
  seed: string | null;
}

/** Into the form, with its seed held. */
export async function again({ workflow, inputs, seed }: Made): Promise<void> {
  await loadForm(workflow);
  const field = seedField(workflow);
  replaceValues(workflow, {
    ...valuesOf(inputs),
    ...(field !== undefined && seed !== null && { [field]: seed }),
  });
  if (field !== undefined) lockSeed(workflow, field, seed !== null);
  show(workflow);
  notify(t().job.filled);
}

function show(workflow: string): void {
  chooseWorkflow(workflow);
  goTo('');
  focusWanted.value = workflow;
}

/** Sent at once. */
export async function varySeed({ workflow, inputs }: Made): Promise<void> {
  await loadForm(workflow);
  const field = seedField(workflow);
  const { [field ?? '']: _, ...others } = inputs as Record<string, string>;
  ask(workflow, others);
  goTo('');
}

/** The first input for such a file of the chosen workflow, or of the first that has one. @returns whether there is one */
export async function useAsInput(
  { filename, kind }: Pick<OutputView, 'filename' | 'kind'>,
  [chosen, ...others]: readonly [string | undefined, ...string[]],
): Promise<boolean> {
  for (const workflow of new Set([chosen, ...others])) {
    if (workflow === undefined) continue;
    await loadForm(workflow);
    const field = Object.entries(formOf(workflow)?.inputs.properties ?? {}).find(
      ([, schema]) => isFileType(schema['x-input']) && takesKind(schema['x-input'], kind),
    )?.[0];
    if (field === undefined) continue;
    setValues(workflow, { ...(chosen !== undefined && wordsFor(workflow, chosen)), [field]: filename });
    show(workflow);
    notify(t().job.inputOf(formOf(workflow)!.title));
    return true;
  }
  return false;
}

/** What was written into the form before goes along where this one has nothing: a prompt is rarely meant for one workflow only. */
function wordsFor(workflow: string, before: string): Values {
  const own = valuesOfForm(workflow);
  const given = valuesOfForm(before);
  const texts = Object.entries(formOf(workflow)!.inputs.properties).flatMap(([name, schema]) => {
    const text = given[name];
    const isWanted = schema['x-input'] === 'string' && !own[name] && typeof text === 'string' && text !== '';
    return isWanted ? [[name, text] as const] : [];
  });
  return Object.fromEntries(texts);
}

function seedField(workflow: string): string | undefined {
  const properties = formOf(workflow)?.inputs.properties ?? {};
  return Object.keys(properties).find((name) => properties[name]!['x-input'] === 'seed');
}
