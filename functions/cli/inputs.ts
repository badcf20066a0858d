// The command line of `npm run generate`: every input of the workflow is a flag, described by the JSON Schema of
// GET /api/workflows/<name>. The API, not this program, validates the values.

import { parseArgs } from 'node:util';
import { MAX_SEED } from '../core/limits.ts';
import type { InputSchema } from '../core/describe.ts';
import { programAsTyped } from '../runtime/package.ts';
import { CommandError, type Workflow } from './api.ts';
import { flag, flagOf, type Flags, type Program, readFlags, TEXT } from './flags.ts';

export interface Command {
  /** The body of `POST /api/generate`, with values as typed. */
  body: Record<string, string>;
  output: string | undefined;
}

/** Parsed before the inputs are known: which workflow, and whether help is wanted. */
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

/** Flags that are not inputs; they hide an input of the same name. @param names of all workflows, the default first */
function ownFlags({ presets }: Workflow, names: readonly string[]): Flags {
  const values = Object.entries(presets).map(([name, preset]) => {
    const parts = Object.entries(preset).map(([key, value]) => `${key} ${value}`);
    return `${name} (${parts.join(', ')})`;
  });
  return {
    workflow: flag(TEXT, '', `Which workflow, ${names[0]} when left out: ${names.join(', ')}.`),
    preset: flag(TEXT, '', `Values for several inputs at once: ${values.join('; ') || 'it has none'}.`),
    output: flag(
      TEXT,
      '',
      'A file, which is written anew if it is there, or a folder; the current folder when left out. Several images become FILE-1.png, FILE-2.png, …',
    ),
  };
}

/** @param names of all workflows, the default first */
export function programOf(workflow: Workflow, names: readonly string[]): Program<Flags> {
  const { properties, required } = workflow.inputs;
  const inputs = Object.entries(properties).map(([name, schema]) => {
    const { description = '', ...type } = schema;
    const means = `${typeOf(type, required.includes(name))}. ${description}`;
    return [
      name,
      flag(TEXT, '', name === 'prompt' ? `${means} The words without a flag are the prompt too.` : means),
    ];
  });
  return {
    name: programAsTyped('generate'),
    usage: '"a red fox" [--flag VALUE ...]',
    about: `${workflow.title} (${workflow.name}): ${workflow.description}`,
    flags: { ...(Object.fromEntries(inputs) as Flags), ...ownFlags(workflow, names) },
    words: Infinity,
    notes: [
      'Standard output gets the path of each image and nothing else (with npm run --silent); progress, seed and seconds go to standard error. Exit code: 0, 1 with the reason, 130 after Ctrl-C, which cancels the job.',
      'It asks the API at API_URL, else the local one that runs with the same WORKSPACE_PATH, else it starts one for this job.',
    ],
  };
}

/** @throws CommandError that says what to type instead */
export function readCommand(argv: string[], workflow: Workflow, program: Program<Flags>): Command {
  const { words, given } = readFlags(program, argv)!;
  const { output, ...body } = given as Record<string, string>;
  const { properties, required } = workflow.inputs;
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
        ? `What should the image show? ${program.name} "a red fox" (--help lists the flags)`
        : `${workflow.name} needs ${flagOf(name)}; --help says what it is`,
    );
  }
  return { body: { ...body, workflow: workflow.name }, output };
}

function typeOf(schema: InputSchema, required: boolean): string {
  const { minimum, maximum, multipleOf, maxLength } = schema;
  const top = maximum === MAX_SEED ? '2^64-1' : maximum;
  const parts = [
    KINDS[schema['x-input']],
    minimum !== undefined && top !== undefined ? `${minimum} to ${top}` : undefined,
    minimum !== undefined && top === undefined ? `at least ${minimum}` : undefined,
    minimum === undefined && top !== undefined ? `at most ${top}` : undefined,
    multipleOf === undefined ? undefined : `a multiple of ${multipleOf}`,
    maxLength === undefined ? undefined : `at most ${maxLength} characters`,
    schema.enum && `one of ${schema.enum.join(', ')}`,
    required ? 'required' : undefined,
    schema.default === undefined || schema.default === '' ? undefined : `default ${schema.default}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

const KINDS: Record<InputSchema['x-input'], string> = {
  string: 'Text',
  choice: 'A name',
  image: 'A local image file, or the name of an uploaded or made image',
  audio: 'A local sound file (or a film), or the name of an uploaded or made one',
  video: 'A local film, or the name of an uploaded or made one',
  file: 'A local file, or the name of an uploaded or made one',
  integer: 'Whole number',
  seed: 'Whole number',
  number: 'Number',
  boolean: 'true or false',
};
