// What the API answers about itself, as schemas: hosts, health, usage. Strict, as jobs.ts is.

import * as z from 'zod';
import { SCOPES } from '../../core/access.ts';
import { HOST_START_LIMIT } from '../../core/limits.ts';
import { problem } from './jobs.ts';

const count = z.int().min(0);

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
