// What a person makes of a proposal: which fields callers may set, under which names and bounds. Pure.

import { workflowNameIn, workflowNameOf } from '../../../functions/core/ascii.ts';
import type { WorkflowProposal } from '../../api/types.ts';
import { exactInteger } from '../../parts/exact-json.ts';
import { type Reading, typedNumber } from '../../parts/typed-number.ts';

export type Candidate = WorkflowProposal['candidates'][number];

/** A candidate as it stands in the form: texts as they are typed. */
export interface Field {
  candidate: Candidate;
  isOn: boolean;
  name: string;
  title: string;
  minimum: string;
  maximum: string;
}

export interface Draft {
  /** The name of the file that it is of. */
  file: string;
  name: string;
  title: string;
  fields: Field[];
}

/** A number that is kept as it was written has its digits so alone. */
const textOf = (value: number | undefined): string => (value === undefined ? '' : JSON.stringify(value));

/** @param filename of the dropped file, whose name the workflow gets. @param untitled where nothing says what it is */
export function draftOf(
  { candidates, title }: Pick<WorkflowProposal, 'candidates' | 'title'>,
  filename: string,
  untitled: string,
): Draft {
  return {
    file: filename,
    name: workflowNameOf(filename) || workflowNameIn(title ?? '') || 'workflow',
    title: titleOf(filename) ?? title ?? untitled,
    fields: candidates.map((candidate) => ({
      candidate,
      isOn: candidate.proposed,
      name: candidate.name,
      title: candidate.input.title,
      minimum: textOf(candidate.input.minimum),
      maximum: textOf(candidate.input.maximum),
    })),
  };
}

/** As ComfyUI, or a browser that saves it, calls any: `ComfyUI_00001_.png`, `workflow (2).json`, `Unsaved Workflow.json`. */
const SAYS_NOTHING = /^(comfyui|unsaved|untitled|workflow|api|image|download|unknown|[\s\d()-])+$/i;

/** `Blue_sky (2).json` → `Blue sky (2)`. Undefined: it says nothing. */
export function titleOf(filename: string): string | undefined {
  const words = filename
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[_.\s]+/g, ' ')
    .trim();
  return /\p{L}/u.test(words) && !SAYS_NOTHING.test(words)
    ? words.charAt(0).toUpperCase() + words.slice(1)
    : undefined;
}

/** Where a candidate stands in the graph, and what the file has there. */
export interface Origin {
  node: string;
  field: string;
  value: unknown;
}

/** Of several places that one field sets, the first. */
export function originOf(graph: WorkflowProposal['graph'], candidate: Candidate): Origin {
  const [first = ''] = [candidate.input.to].flat();
  const dot = first.indexOf('.');
  const [node, field] = [first.slice(0, dot), first.slice(dot + 1)];
  const { inputs = {} } = (graph[node] ?? {}) as { inputs?: Record<string, unknown> };
  return { node, field, value: inputs[field] };
}

/** On one line. */
export const asText = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replaceAll(/\s+/g, ' ');

const SHOWN = 60;

export const shortened = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;

type Lack = Pick<WorkflowProposal, 'faults' | 'missing' | 'refused'>;

/** What no host has. */
export const absentOf = ({ missing }: Pick<Lack, 'missing'>): string[] => [
  ...new Set(
    missing.filter(({ hosts }) => hosts.length === 0).map(({ value, class_type: type }) => value ?? type),
  ),
];

/** Whether `npm run workflows -- add` would save it only with --anyway. */
export const isDoubtful = ({ faults, missing, refused }: Lack): boolean =>
  faults.length > 0 || missing.length > 0 || refused.length > 0;

export const isNumeric = (candidate: Candidate): boolean =>
  ['integer', 'number'].includes(candidate.input.type);

/** A name that two inputs have: one of them would be lost. */
export function twiceNamed(fields: readonly Field[]): string | undefined {
  const names = fields.filter(({ isOn }) => isOn).map(({ name }) => name.trim());
  return names.find((name, at) => names.indexOf(name) !== at);
}

/** The two files of a workflow: the graph, and the inputs that callers may set. */
export function filesOf(
  proposal: WorkflowProposal,
  { title, fields }: Draft,
  decimal: Reading['decimal'],
): { graph: object; inputs_file: object } {
  const inputs = Object.fromEntries(
    fields.filter(({ isOn }) => isOn).map((field) => [field.name.trim(), entryOf(field, decimal)]),
  );
  return { graph: proposal.graph, inputs_file: { ...proposal.inputs_file, title: title.trim(), inputs } };
}

/** Bounds that are empty are none; what is no number stays a text, which the API refuses by its place. */
function entryOf({ candidate, title, minimum, maximum }: Field, decimal: Reading['decimal']): object {
  const { minimum: _, maximum: __, ...rest } = candidate.input;
  const isWhole = rest.type === 'integer';
  const bound = (name: string, typed: string) => {
    const text = typed.trim();
    if (text === '') return {};
    const exact = isWhole ? exactInteger(text) : undefined;
    if (exact !== undefined) return { [name]: exact };
    const read = typedNumber(text, { decimal, isWhole });
    return { [name]: typeof read === 'number' ? read : text };
  };
  return {
    ...rest,
    title: title.trim(),
    ...(isNumeric(candidate) && { ...bound('minimum', minimum), ...bound('maximum', maximum) }),
  };
}
