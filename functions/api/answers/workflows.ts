// What the API answers about workflows, as schemas. Strict, as jobs.ts is.

import * as z from 'zod';
import { INPUT_TYPES } from '../../core/inputs-file.ts';
import { missing } from './jobs.ts';

export const workflows = z.strictObject({
  workflows: z.array(z.string()).describe('The first is the one that is used where none is named'),
  titles: z.record(z.string(), z.string()).describe('What people call each, by its name'),
  total: z.int().min(0),
  refused: z
    .array(z.string())
    .describe('What is wrong with files of templates; the last good version of such a template is used'),
  details: z
    .array(
      z.strictObject({
        name: z.string(),
        title: z.string(),
        description: z.string(),
        inputs: z.array(z.string()),
        models: z.array(z.string()).describe('Files of models that its graph names'),
        missing: missing.describe('What the hosts lack of it; empty where one has all of it, or none is up'),
        faults: z.array(z.string()),
        hosts: z.array(z.string()).describe('Ids of those that can run it'),
      }),
    )
    .optional()
    .describe('With ?details=true: one for each, in the same order'),
  can_save: z
    .boolean()
    .optional()
    .describe('With ?details=true: whether workflows may be added and removed here'),
});

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Of `inputs` in an inputs file (core/inputs-file.ts), what a proposal has. */
const proposedInput = z.strictObject({
  type: z.enum(INPUT_TYPES),
  title: z.string(),
  required: z.boolean().optional(),
  default: scalar.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  multiple_of: z.number().optional(),
  to: z.union([z.string(), z.array(z.string())]).describe('node.field of each that it sets'),
});

export const workflowProposal = z.strictObject({
  kind: z.enum(['api', 'canvas', 'app', 'picture']).describe('What the file is'),
  title: z.string().nullable().describe('What the graph calls what it saves; null: nothing of its own'),
  graph: z.looseObject({}).describe('The API format of it'),
  inputs_file: z
    .strictObject({ title: z.string(), inputs: z.record(z.string(), proposedInput) })
    .describe('The inputs that are proposed, as docs/workflows.md describes them'),
  candidates: z
    .array(
      z.strictObject({
        name: z.string().describe('A free name for it'),
        proposed: z.boolean().describe('Whether it is in `inputs_file`'),
        node: z.string().describe('The title of the node that has it'),
        class_type: z.string(),
        is_model: z.boolean().describe('Whether it names a model file'),
        choices: z.array(scalar).nullable().describe('The first of what a choice may be, by the hosts'),
        input: proposedInput.describe('As an entry of `inputs` in an inputs file'),
      }),
    )
    .describe('Every field that callers could be given to set, the proposed ones first'),
  faults: z
    .array(
      z.strictObject({
        code: z.string(),
        message: z.string().describe('What is wrong, and what to do'),
        node: z.string().nullable(),
        title: z.string().nullable(),
        class_type: z.string().nullable(),
        field: z.string().nullable(),
      }),
    )
    .describe('What of the file could not be taken over'),
  notes: z.array(z.string()),
  models: z.array(z.string()),
  missing,
  refused: z.array(z.string()).describe('What ComfyUI would refuse of the graph, as the hosts know'),
  hosts: z.array(z.string()).describe('Ids of those that can run it'),
});

export const workflowSaved = z.strictObject({
  name: z.string(),
  replaced: z.boolean(),
  kept_translations: z.array(z.string()).describe('The languages whose texts stay, of what was replaced'),
});
export const workflowRemoved = z.strictObject({ name: z.string(), removed: z.literal(true) });

const jsonType = z.enum(['string', 'integer', 'number', 'boolean']);

const inputSchema = z.strictObject({
  type: z.union([jsonType, z.array(jsonType)]).describe('Several where a choice is among values of several'),
  title: z.string().optional(),
  description: z.string().optional(),
  default: scalar.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  multipleOf: z.number().optional(),
  minLength: z.int().optional(),
  maxLength: z.int().optional(),
  enum: z.array(scalar).optional(),
  'x-input': z.enum(INPUT_TYPES).describe('seed, image and others that JSON Schema has no type for'),
  'x-mask': z.literal(true).optional().describe('The transparent part of the image is used as a mask'),
});

export const workflow = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  presets: z.record(z.string(), z.record(z.string(), scalar)),
  inputs: z
    .strictObject({
      $schema: z.string(),
      type: z.literal('object'),
      additionalProperties: z.literal(false),
      required: z.array(z.string()),
      properties: z.record(z.string(), inputSchema),
    })
    .describe('JSON Schema of what a caller may set'),
  notes: z
    .record(z.string(), z.string())
    .describe('What its jobs may note, by how they have it, in the language of this answer'),
  missing: missing.describe(
    'What the hosts lack that its graph needs; empty where one has all of it, or none is up',
  ),
  faults: z
    .array(z.string())
    .describe(
      'What ComfyUI would refuse of its graph, or what is sure to fail in the run, as the hosts know',
    ),
});
