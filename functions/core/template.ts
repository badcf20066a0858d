// A workflow template: ComfyUI's API export, verbatim, and the inputs file that declares what a caller may set.
// Checks that the two fit, so that a bad pair stops the start instead of a job. Source: docs/workflows.md.

import en from 'zod/v4/locales/en.js';
import * as z from 'zod/mini';
import { AppError } from './errors.ts';
import { exceeded, valueOf } from './inputs.ts';
import {
  type InputSpec,
  inputsFile,
  type InputValues,
  RESERVED,
  targetsOf,
  type Template,
} from './inputs-file.ts';
import { isDeeperThan } from './json-value.ts';
import { type Graph, linkOf } from './object-info.ts';
import { problemOfLanguages } from './translations.ts';

export {
  boundsOf,
  type InputSpec,
  type InputValue,
  type InputValues,
  parseTarget,
  targetsOf,
  type Template,
} from './inputs-file.ts';

const graph = z.record(
  z.string(),
  z.object({
    class_type: z.string(),
    inputs: z.record(z.string(), z.unknown()),
    _meta: z.optional(z.object({ title: z.optional(z.string()) })),
  }),
);

/** In words, and read as it stands: code made for a schema would serve two files. */
const HOW = { error: en().localeError, jitless: true };

/** The workflows on offer. Where files may change, both are replaced as a whole, so that a reader's copy stays consistent. */
export interface Workflows {
  /** By name; the default first. */
  readonly templates: ReadonlyMap<string, Template>;
  /** Files in the folder that are not used, a sentence each. */
  readonly refused: readonly string[];
  /** Absent: they are fixed, as where they are part of a bundle. */
  readonly folder?: WorkflowFolder;
}

/** Each resolves when the change is in effect. */
export interface WorkflowFolder {
  /**
   * @param files texts of the graph and of the inputs file, which fit; @param replace one of the same name
   * @returns whether there was one. @throws AppError workflow_exists, workflows_fixed
   */
  save(name: string, files: WorkflowFiles, replace: boolean): Promise<{ replaced: boolean }>;
  /** @throws AppError workflows_fixed */
  remove(name: string): Promise<void>;
}

export interface WorkflowFiles {
  graph: string;
  inputs: string;
}

/** A name that is the same on every file system, in an address and as an argument. */
export const WORKFLOW_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
export const WORKFLOW_NAME_RULE =
  'must have 1 to 64 small letters, digits, underscores and dashes, and begin with a letter or a digit';

/** @throws AppError bad_template, whose message names the file and the field */
export function parseTemplate(name: string, graphJson: unknown, inputsJson: unknown): Template {
  const refuse = (file: string, what: string) =>
    new AppError('bad_template', `workflows/${name}${file}: ${what}`);

  if (typeof graphJson === 'object' && graphJson !== null && 'nodes' in graphJson)
    throw refuse('.json', 'is in ComfyUI\'s page format; export it with "Export (API)"');
  const parsedGraph = graph.safeParse(graphJson, HOW);
  if (!parsedGraph.success) throw refuse('.json', `is no API export: ${first(parsedGraph.error)}`);
  if (isDeeperThan(parsedGraph.data, MAX_DEPTH))
    throw refuse('.json', `is nested deeper than ${MAX_DEPTH} levels`);
  const broken = brokenLink(parsedGraph.data) ?? cycleIn(parsedGraph.data);
  if (broken) throw refuse('.json', broken);
  const parsed = inputsFile.safeParse(inputsJson, HOW);
  if (!parsed.success) throw refuse('.inputs.json', first(parsed.error));

  const template: Template = {
    ...parsed.data,
    name,
    graph: parsedGraph.data,
    presets: parsed.data.presets ?? {},
  };
  for (const [input, spec] of Object.entries(template.inputs)) {
    const problem = problemOf(template, input, spec);
    if (problem) throw refuse('.inputs.json', `input "${input}": ${problem}`);
  }
  const defaults = defaultsOf(template);
  const unfit = exceeded(template, defaults);
  if (unfit) throw refuse('.inputs.json', `the defaults do not fit together: ${unfit.message}`);
  for (const [preset, values] of Object.entries(template.presets)) {
    const problem =
      problemOfValues(template, values) ?? exceeded(template, { ...defaults, ...values })?.message;
    if (problem) throw refuse('.inputs.json', `preset "${preset}": ${problem}`);
  }
  const foreign = problemOfLanguages(template);
  if (foreign) throw refuse('.inputs.json', foreign);
  const driven = new Map<string, string>();
  for (const [input, spec] of Object.entries(template.inputs))
    for (const target of [spec.to ?? []].flat()) {
      const other = driven.get(target);
      if (other)
        throw refuse('.inputs.json', `input "${input}": "${target}" is driven by "${other}" already`);
      driven.set(target, input);
    }
  return template;
}

/** Copying and writing a graph recurse, and thousands of levels overflow the stack. No real graph comes near this. */
const MAX_DEPTH = 100;

function linksOf(inputs: Record<string, unknown>): { field: string; to: string; output: number }[] {
  return Object.entries(inputs).flatMap(([field, value]) => {
    const link = linkOf(value);
    return link ? [{ field, to: link.node, output: link.output }] : [];
  });
}

function brokenLink(graph: Graph): string | undefined {
  for (const [node, { class_type: classType, inputs }] of Object.entries(graph))
    for (const { field, to, output } of linksOf(inputs)) {
      if (typeof (inputs[field] as unknown[])[0] !== 'string')
        return `node "${node}" (${classType}): "${field}" links to a node by a number; its id is a text: "${to}"`;
      if (!Object.hasOwn(graph, to))
        return `node "${node}" (${classType}): "${field}" links to node "${to}", which is not there`;
      if (!Number.isInteger(output) || output < 0)
        return `node "${node}" (${classType}): "${field}" links to output ${output} of node "${to}"`;
    }
  return undefined;
}

function cycleIn(graph: Graph): string | undefined {
  const done = new Set<string>();
  const visit = (node: string, above: string[]): string | undefined => {
    if (above.includes(node)) return `its nodes wait for each other: ${[...above, node].join(' → ')}`;
    if (done.has(node)) return undefined;
    for (const { to } of linksOf(graph[node]!.inputs)) {
      const found = visit(to, [...above, node]);
      if (found) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of Object.keys(graph)) {
    const found = visit(node, []);
    if (found) return found;
  }
  return undefined;
}

function first(error: z.core.$ZodError): string {
  const issue = error.issues[0]!;
  return `${issue.path.join('.') || 'the file'}: ${issue.message}`;
}

function problemOf(template: Template, input: string, spec: InputSpec): string | undefined {
  if (RESERVED.includes(input)) return 'is a name that the API keeps for itself';
  for (const { node, field } of targetsOf(spec)) {
    const inputs = template.graph[node]?.inputs;
    if (!inputs) return `"${node}.${field}": the graph has no node "${node}"`;
    if (!Object.hasOwn(inputs, field))
      return `"${node}.${field}": node "${node}" (${template.graph[node]!.class_type}) has no field "${field}"`;
    if (Array.isArray(inputs[field])) return `"${node}.${field}" is a link to another node`;
  }
  if (spec.at_most !== undefined && !isNumeric(spec)) return '"at_most" is for numbers';
  if (spec.at_most !== undefined && !isNumeric(template.inputs[spec.at_most]))
    return `"at_most": there is no input "${spec.at_most}" that is a number`;
  if (spec.type === 'choice' && targetsOf(spec).length === 0) return 'a choice needs a "to"';
  if (spec.default === undefined && !spec.required && spec.type !== 'seed')
    return 'needs a "default" or "required": true';
  return (
    (spec.default === undefined ? undefined : problemOfValues(template, { [input]: spec.default })) ??
    problemOfValues(template, spec.when_set?.defaults ?? {})
  );
}

function isNumeric(spec: InputSpec | undefined): boolean {
  return spec?.type === 'integer' || spec?.type === 'number';
}

function defaultsOf(template: Template): InputValues {
  return Object.fromEntries(
    Object.entries(template.inputs).flatMap(([input, spec]) =>
      spec.default === undefined ? [] : [[input, spec.default]],
    ),
  );
}

function problemOfValues(template: Template, values: InputValues): string | undefined {
  for (const [input, value] of Object.entries(values)) {
    const spec = Object.hasOwn(template.inputs, input) && template.inputs[input];
    if (!spec) return `there is no input "${input}"`;
    try {
      valueOf(input, spec, value, undefined);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}
