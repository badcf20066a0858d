// What the terminal says of a workflow: what callers may set, what else they could, and what stands in the way. Pure.

import { stringifyJson } from '../../core/json.ts';
import type { Proposal, WorkflowList } from '../api.ts';
import { inColumns } from '../write.ts';
import { type Input, type Inputs, targetsOf } from './choose.ts';

const KINDS: Record<Proposal['kind'], string> = {
  api: 'an API export',
  canvas: 'a canvas file',
  app: 'a canvas file with the form of an app',
  picture: 'a picture with its graph',
};
const NAME_WIDTH = 60;

/** @param inputs that are chosen */
export function proposalLines({ kind, candidates, notes, models }: Proposal, inputs: Inputs): string[] {
  const chosen = new Set(Object.values(inputs));
  const rest = candidates.filter((one) => !chosen.has(one.input));
  const table = (rows: (readonly [string, Input])[]) =>
    inColumns([['name', 'type', 'default', 'sets'], ...rows.map(([name, one]) => rowOf(name, one))]);
  return [
    `It is ${KINDS[kind]}. Callers may set:`,
    ...table(Object.entries(inputs)),
    ...(rest.length === 0
      ? []
      : ['', 'They could set, too:', ...table(rest.map((one) => [one.name, one.input] as const))]),
    ...(models.length === 0 ? [] : ['', `Its model files: ${models.join(', ')}`]),
    ...notes.map((note) => `Note: ${note}`),
  ];
}

function rowOf(name: string, input: Input): string[] {
  const { type, minimum, maximum, required } = input;
  const bounds = [minimum ?? '', maximum ?? ''].map(String).join('–');
  const value = required && input.default === undefined ? '(required)' : textOf(input.default);
  return [name, bounds === '–' ? type : `${type} ${bounds}`, value, targetsOf(input).join(' ')];
}

/** On one line, and not all of a long prompt. */
function textOf(value: unknown): string {
  if (value === undefined) return '';
  const text = (typeof value === 'string' ? value : stringifyJson(value)).replaceAll(/\s+/g, ' ');
  return text.length > NAME_WIDTH ? `${text.slice(0, NAME_WIDTH - 1)}…` : text;
}

type Missing = Proposal['missing'];

/** Sentences; none: a ComfyUI can run it, or none was there to be asked. */
export function problemsOf({ faults, missing, refused }: Pick<Proposal, 'faults' | 'missing' | 'refused'>) {
  const absent = missingLines(missing);
  // ComfyUI refuses the same again, in its own words.
  return [...new Set([...faults.map(({ message }) => message), ...(absent.length > 0 ? absent : refused)])];
}

function missingLines(missing: Missing): string[] {
  return missing
    .filter(({ hosts }) => hosts.length === 0)
    .map(({ node, class_type: classType, field, value }) =>
      field === null
        ? `Node ${node}: ComfyUI has no node class ${classType}; install the custom nodes that bring it, or a newer ComfyUI, and restart it`
        : `Node ${node} (${classType}): ComfyUI has no ${value} for its ${field}; put the file where ComfyUI looks for it`,
    );
}

type Details = WorkflowList['details'][number];

/** In a word or two, for a table. */
export function stateOf({ hosts, missing, faults }: Details): string {
  if (hosts.length > 0) return 'ok';
  if (missing.length > 0) return `lacks ${missing.map((one) => one.value ?? one.class_type).join(', ')}`;
  return faults[0] ?? 'not checked';
}
