// What --help says: how to call the program, and each input of the workflow with its type, bounds and default. From the
// same JSON Schema that GET /api/workflows/<name> answers; a pure function.

import { MAX_SEED } from '../core/limits.ts';
import type { InputValue } from '../core/template.ts';
import { programAsTyped } from '../runtime/package.ts';
import type { Workflow } from './api.ts';
import { flagOf } from './flags.ts';

const WIDTH = 100;
const COLUMN = 20;

interface InputSchema {
  type: string;
  description?: string;
  default?: InputValue;
  minimum?: number | bigint;
  maximum?: number | bigint;
  multipleOf?: number;
  maxLength?: number;
  enum?: string[];
  'x-input'?: string;
}

/** @param names of all workflows, the default first */
export function helpOf(workflow: Workflow, names: string[]): string {
  const { properties, required } = workflow.inputs;
  const inputs = Object.entries(properties).map(([name, schema]) => {
    const { description = '' } = schema as unknown as InputSchema;
    const what = `${typeOf(schema as unknown as InputSchema, required.includes(name))}. ${description}`;
    return entry(
      flagOf(name),
      name === 'prompt' ? `${what} The words without a flag are the prompt too.` : what,
    );
  });
  const presets = Object.entries(workflow.presets).map(
    ([name, values]) =>
      `${name} (${Object.entries(values)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')})`,
  );
  return [
    `${programAsTyped('generate')} "a red fox" [--flag value ...]`,
    '',
    ...wrap(`${workflow.title} (${workflow.name}): ${workflow.description}`, 0),
    '',
    'Inputs of this workflow:',
    ...inputs,
    '',
    'And:',
    entry('--workflow', `Which workflow, ${names[0]} when left out: ${names.join(', ')}.`),
    ...(presets.length === 0
      ? []
      : [entry('--preset', `Values for several inputs at once: ${presets.join('; ')}.`)]),
    entry(
      '--output',
      'A file, which is written anew if it is there, or a folder; the current folder when left out. Several images become FILE-1.png, FILE-2.png, …',
    ),
    entry('--help, -h', 'This, for the workflow that --workflow names.'),
    '',
    ...wrap(
      'Standard output gets the path of each image and nothing else (with npm run --silent); progress, seed and seconds go to standard error. Exit code: 0, 1 with the reason, 130 after Ctrl-C, which cancels the job.',
      0,
    ),
    '',
    ...wrap(
      'It asks the API at API_URL, else the local one that runs with the same WORKSPACE_PATH, else it starts one for this job.',
      0,
    ),
    '',
  ].join('\n');
}

function typeOf(schema: InputSchema, required: boolean): string {
  const { minimum, maximum, multipleOf, maxLength } = schema;
  const top = maximum === MAX_SEED ? '2^64-1' : maximum;
  const parts = [
    KINDS[schema['x-input'] ?? schema.type] ?? schema.type,
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

const KINDS: Record<string, string> = {
  string: 'Text',
  choice: 'A name',
  image: 'A local image file, or the name of an uploaded or made image',
  integer: 'Whole number',
  seed: 'Whole number',
  number: 'Number',
  boolean: 'true or false',
};

function entry(left: string, right: string): string {
  const [first = '', ...more] = wrap(right, COLUMN + 2);
  const start = left.length < COLUMN ? `  ${left.padEnd(COLUMN)}${first.trimStart()}` : `  ${left}\n${first}`;
  return [start, ...more].join('\n');
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((text) => ' '.repeat(indent) + text);
}
