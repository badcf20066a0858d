// The schema of a workflow template's inputs file: the inputs that a caller may set, with types, bounds and the fields of
// the graph that they set. Source: docs/workflows.md.

import * as z from 'zod/mini';
import { FILE_TYPES } from './file-types.ts';
import { MAX_SEED, MAX_TEXT } from './limits.ts';
import type { Graph } from './object-info.ts';
import { TIMINGS } from './timings.ts';

/** Whole numbers beyond 53 bits are bigints. */
const numeric = z.union([z.number(), z.bigint()]);
const scalar = z.union([z.string(), numeric, z.boolean()]);

export const INPUT_TYPES = [
  'string',
  'integer',
  'number',
  'boolean',
  'seed',
  'choice',
  ...FILE_TYPES,
] as const;

const inputSpec = z.strictObject({
  type: z.enum(INPUT_TYPES),
  title: z.optional(z.string()),
  description: z.optional(z.string()),
  required: z.optional(z.boolean()),
  default: z.optional(scalar),
  minimum: z.optional(numeric),
  maximum: z.optional(numeric),
  multiple_of: z.optional(z.number().check(z.positive())),
  /** The name of another numeric input, which this value must not exceed. */
  at_most: z.optional(z.string()),
  max_length: z.optional(z.int().check(z.positive(), z.maximum(MAX_TEXT))),
  /** "node.field", one or several. */
  to: z.optional(z.union([z.string(), z.array(z.string())])),
  when_set: z.optional(
    z.strictObject({ defaults: z.optional(z.record(z.string(), scalar)), note: z.optional(z.string()) }),
  ),
});

/** What is absent stays in the file's own words. */
const translation = z.strictObject({
  title: z.optional(z.string()),
  description: z.optional(z.string()),
  inputs: z.optional(
    z.record(
      z.string(),
      z.strictObject({
        title: z.optional(z.string()),
        description: z.optional(z.string()),
        /** Of `when_set`. */
        note: z.optional(z.string()),
      }),
    ),
  ),
});

/** Fields of a request that the API uses itself, and the one that every object has: no names of inputs. */
export const RESERVED = ['preset', 'workflow', 'webhook_url', 'metadata', 'priority', 'constructor'];

export const inputsFile = z.strictObject({
  title: z.string(),
  description: z.optional(z.string()),
  /** Of these texts: a tag of BCP 47. */
  language: z.optional(z.string()),
  /** Seconds without progress after which a job is stalled. */
  deadline_seconds: z.optional(z.int().check(z.positive(), z.maximum(TIMINGS.jobLimit / 1000))),
  /** `strip` publishes images without the graph that ComfyUI writes into them. Absent: the host's setting. */
  image_metadata: z.optional(z.enum(['keep', 'strip'])),
  inputs: z.record(z.string().check(z.regex(/^[a-z][a-z0-9_]*$/)), inputSpec),
  presets: z.optional(z.record(z.string(), z.record(z.string(), scalar))),
  /** By language: a tag of BCP 47. */
  translations: z.optional(z.record(z.string(), translation)),
});

export type Translations = Record<string, z.infer<typeof translation>>;
export type InputSpec = z.infer<typeof inputSpec>;
export type InputValue = z.infer<typeof scalar>;
export type InputValues = Record<string, InputValue>;

export interface Template extends z.infer<typeof inputsFile> {
  name: string;
  graph: Graph;
  presets: Record<string, InputValues>;
}

/** "8.steps" → node 8, field steps. A field's name may contain dots. */
export function parseTarget(target: string): { node: string; field: string } {
  const dot = target.indexOf('.');
  return { node: target.slice(0, dot), field: target.slice(dot + 1) };
}

/** The fields of the graph that an input drives. */
export function targetsOf(spec: InputSpec): { node: string; field: string }[] {
  return [spec.to ?? []].flat().map(parseTarget);
}

export interface Bounds {
  minimum?: number | bigint;
  maximum?: number | bigint;
}

/** An input's bounds, with the defaults of a seed. */
export function boundsOf(spec: InputSpec): Bounds {
  if (spec.type === 'seed') return { minimum: spec.minimum ?? 0, maximum: spec.maximum ?? MAX_SEED };
  return { minimum: spec.minimum, maximum: spec.maximum };
}
