// The command line against what a workflow takes: every input is a flag, with dashes or underscores. Refuses unknown
// flags and a missing prompt; whether a value fits is the API's to say.

import { parseArgs } from 'node:util';
import { programAsTyped } from '../runtime/package.ts';
import { CommandError, type Workflow } from './api.ts';

export interface Command {
  /** Of `POST /api/generate`; values as they were typed. */
  body: Record<string, string>;
  output: string | undefined;
}

/** Flags that are no inputs; an input of such a name would be out of reach here. */
const OWN = ['workflow', 'preset', 'output'];

/** What must be known before the inputs are: which workflow, and whether to explain it or to run it. */
export function firstLook(argv: string[]): { workflow: string | undefined; help: boolean } {
  const { values } = parseArgs({
    args: argv,
    strict: false,
    options: { workflow: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  return {
    workflow: typeof values.workflow === 'string' ? values.workflow : undefined,
    help: values.help === true,
  };
}

/** @throws CommandError saying what to type instead */
export function parseFlags(argv: string[], workflow: Workflow): Command {
  const { properties, required } = workflow.inputs;
  const known = [...OWN, ...Object.keys(properties).filter((name) => !OWN.includes(name))];
  const given: Record<string, string> = {};
  const words: string[] = [];
  for (const token of tokensOf(argv, known)) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const name = token.name.replaceAll('-', '_');
    if (!known.includes(name)) throw unknownFlag(token.rawName, workflow, known);
    // The next flag is no value, but -1 and -blurry are.
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
      throw new CommandError(`${token.rawName} needs a value: ${token.rawName}=VALUE`);
    given[name] = token.value;
  }

  const { output, ...body } = given;
  if (words.length > 0) {
    if (!properties['prompt'])
      throw new CommandError(
        `${workflow.name} takes no prompt; without a flag before it, "${words[0]}" is one`,
      );
    if (body['prompt'] !== undefined)
      throw new CommandError(`The prompt is there twice: "${words.join(' ')}", and as --prompt`);
    body['prompt'] = words.join(' ');
  }
  const preset = workflow.presets[body['preset'] ?? ''] ?? {};
  for (const name of required) {
    if ((body[name] ?? String(preset[name] ?? '')).trim() !== '') continue;
    throw new CommandError(
      name === 'prompt'
        ? `What should the image show? ${programAsTyped('generate')} "a red fox" (--help lists the flags)`
        : `${workflow.name} needs ${flagOf(name)}; --help says what it is`,
    );
  }
  return { body: { ...body, workflow: workflow.name }, output };
}

export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}

function tokensOf(argv: string[], known: string[]) {
  const spellings = known.flatMap((name) => [name, name.replaceAll('_', '-')]);
  return parseArgs({
    args: argv,
    strict: false,
    tokens: true,
    options: Object.fromEntries(spellings.map((name) => [name, { type: 'string' as const }])),
  }).tokens;
}

function unknownFlag(flag: string, workflow: Workflow, known: string[]): CommandError {
  const flags = known.map(flagOf).join(', ');
  return new CommandError(
    `Unknown flag ${flag}. ${workflow.name} takes ${flags} and --help; a prompt that starts with a dash is given as --prompt="${flag}…"`,
  );
}

/**
 * `npm run generate "a fox" --steps 8`: without `--` before them npm takes the flags for its own, and the image would
 * quietly be another.
 * @throws CommandError
 */
export function refuseFlagsKeptByNpm(
  environment: Record<string, string | undefined>,
  workflow: Workflow,
): void {
  if (environment['npm_lifecycle_event'] !== 'generate') return;
  const names = [...OWN, ...Object.keys(workflow.inputs.properties)];
  const kept = names.find((name) => environment[`npm_config_${name}`] !== undefined);
  if (kept !== undefined)
    throw new CommandError(
      `npm kept ${flagOf(kept)} for itself; put -- before what is meant for this program: npm run generate -- "a red fox" ${flagOf(kept)} …`,
    );
}
