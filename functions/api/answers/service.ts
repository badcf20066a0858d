// What the API answers about itself, as schemas: workflows, hosts, health. Strict, as jobs.ts is.

import * as z from 'zod';
import { SCOPES } from '../../core/access.ts';
import { HOST_START_LIMIT } from '../../core/limits.ts';
import { missing, problem } from './jobs.ts';

const count = z.int().min(0);

export const workflows = z.strictObject({
  workflows: z.array(z.string()).describe('The first is the one that is used where none is named'),
  titles: z.record(z.string(), z.string()).describe('What people call each, by its name'),
  total: count,
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

export const workflowProposal = z.strictObject({
  kind: z.enum(['api', 'canvas', 'app', 'picture']).describe('What the file is'),
  graph: z.looseObject({}).describe('The API format of it'),
  inputs_file: z
    .looseObject({})
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
        input: z.looseObject({}).describe('As an entry of `inputs` in an inputs file'),
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

export const workflowSaved = z.strictObject({ name: z.string(), replaced: z.boolean() });
export const workflowRemoved = z.strictObject({ name: z.string(), removed: z.literal(true) });

export const workflow = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  presets: z.record(z.string(), z.record(z.string(), z.unknown())),
  inputs: z
    .looseObject({})
    .describe(
      'JSON Schema of what a caller may set. x-input: seed, image and others that JSON Schema has no type for; x-mask: the transparent part of the image is used as a mask',
    ),
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

const devices = z.array(
  z.strictObject({
    name: z.string(),
    vram: z.number().min(0).describe('MiB'),
    vram_free: z.number().min(0).describe('MiB'),
  }),
);

const hosts = z.array(
  z.strictObject({
    host_id: z.string(),
    state: z.enum(['ready', 'draining']),
    comfyui: z.enum(['connected', 'silent']),
    comfyui_version: z.string().nullable(),
    comfyui_url: z.string().nullable().describe('Which one, where its machine has several'),
    trouble: z
      .string()
      .nullable()
      .describe('What is wrong with its ComfyUI: a word for machines, a colon, a sentence'),
    simulated: z.boolean(),
    slots: count,
    held: count.describe('Jobs that it has now'),
    seen_at: z.iso.datetime(),
    started_at: z.iso.datetime(),
  }),
);

export const system = z.strictObject({
  devices,
  models: z.record(z.string(), z.array(z.string())).describe('File names by folder'),
  hosts,
});

export const healthy = z.strictObject({
  status: z.literal('healthy'),
  comfyui: z
    .enum(['connected', 'asleep', 'waking'])
    .describe(
      `asleep: no host, and nothing waits; waking: within the ${HOST_START_LIMIT / 60_000} minutes that a start may take`,
    ),
  output_dir: z.string(),
  system: z.strictObject({ devices, hosts }),
  simulated: z.boolean(),
});

const limit = z.number().min(0).nullable().describe('null: unlimited');
const remaining = z.number().min(0).nullable();
const resets = z.iso.datetime();

const scopes = z.array(z.enum(SCOPES)).describe('What the caller’s key may do; admin includes the others');

export const usage = z.discriminatedUnion('limited', [
  z.strictObject({ owner: z.string(), scopes, limited: z.literal(false) }),
  z.strictObject({
    owner: z.string(),
    scopes,
    limited: z.literal(true),
    requests_per_minute: z.strictObject({ limit, remaining, resets_at: resets.nullable() }),
    unfinished_jobs: z.strictObject({ limit, used: count, remaining }),
    images_today: z.strictObject({
      limit,
      used: count,
      reserved: count.describe('For jobs that have not ended'),
      remaining,
      resets_at: resets,
    }),
    usd_this_month: z.strictObject({
      limit,
      used: z.number().min(0),
      estimated: z.number().min(0).describe('For jobs that have not ended: the mean of those that have'),
      remaining,
      resets_at: resets,
    }),
    upload_bytes: z.strictObject({
      limit,
      used: count.describe('Uploads that are kept: GET /api/uploads'),
      remaining,
    }),
    this_month: z.strictObject({ jobs: count, images: count, gpu_seconds: z.number().min(0) }),
  }),
]);

export const unhealthy = problem.extend({
  status: z.literal('unhealthy'),
  trouble: z.string().nullable().describe('What is wrong with ComfyUI, where it is known'),
});
