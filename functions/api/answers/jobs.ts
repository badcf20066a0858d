// What the API answers, as schemas: the document is made from them, and a test holds every route's real answers against
// them. Strict here, so that an undescribed field is found; the document allows more fields.

import * as z from 'zod';
import { type FailureCode, OUTPUT_KINDS, type Status } from '../../core/job.ts';
import { PREVIEW_BYTES } from '../../core/limits.ts';
import { PRIORITIES } from '../../core/priority.ts';
import type { WaitingCode } from '../../core/waiting.ts';

const STATUS = [
  'queued',
  'processing',
  'completed',
  'failed',
  'cancelled',
] as const satisfies readonly Status[];
export const FAILURES = [
  'refused_by_comfyui',
  'node_failed',
  'input_gone',
  'input_refused',
  'unreadable_result',
  'no_output',
  'bad_output',
  'output_not_own',
  'too_many_outputs',
  'lost_too_often',
  'too_many_attempts',
  'took_too_long',
  'expired',
] as const satisfies readonly FailureCode[];
export const WAITING_CODES = [
  'comfyui_turn',
  'comfyui_kind',
  'retry',
  'free_slot',
  'host_starting',
  'host_blocked',
  'comfyui_silent',
  'comfyui_trouble',
  'missing_requirements',
] as const satisfies readonly WaitingCode[];

const time = z.iso.datetime();
const count = z.int().min(0);
const jobId = z.uuid().describe('Names the job at every other address');
const promptId = z.uuid().describe('ComfyUI’s name for it: one for the life of a job');
const seed = {
  // z.int() ends at 2⁵³, and so does JSON.parse: seeds do not.
  seed: z
    .number()
    .multipleOf(1)
    .meta({
      type: 'integer',
      format: 'uint64',
      description: 'The seed in use: drawn at random where none was sent',
    })
    .nullable(),
  seed_text: z
    .string()
    .nullable()
    .describe('The same in digits, for clients whose numbers have 53 bits (a drawn one fits them)'),
};
const traceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe('Of its trace (W3C Trace Context): the one of the request’s traceparent, or its own');
const notes = z.array(z.string()).describe('What the service did that one may not expect');
export const cursor = z
  .string()
  .nullable()
  .describe('Send it as ?cursor for the next page; null: this is the last');
const simulated = z.boolean().describe('True: drawn by the simulated ComfyUI, not by a model');
const exact = z.boolean().describe('False: there are more than were counted');
const success = { status: z.literal('success'), message: z.string() };

export const problem = z.strictObject({
  error: z.string().describe('A sentence for a person'),
  code: z.string().describe('For machines: stays what it is when the sentence changes'),
  details: z.looseObject({ field: z.string().optional().describe('Which field of the request') }).optional(),
});

export const accepted = z.strictObject({
  job_id: jobId,
  prompt_id: promptId,
  status: z.literal('queued'),
  prompt: z.string(),
  message: z.string(),
  workflow: z.string(),
  ...seed,
  trace_id: traceId,
  notes,
});

export const job = z.strictObject({
  job_id: jobId,
  prompt_id: promptId,
  status: z.enum(STATUS).describe('The last three are for good'),
  prompt: z.string().describe('As it was typed: text, never markup'),
  progress: z.number().min(0).max(1).describe('Over the whole graph'),
  current_step: count.describe('Of the sampler that runs; 0 without one'),
  total_steps: count,
  output_image: z.string().nullable().describe('The first image’s file name'),
  error: z.string().nullable().describe('Why it failed'),
  error_code: z.enum(FAILURES).nullable(),
  created_at: time,
  started_at: time.nullable(),
  completed_at: time.nullable().describe('When it ended, however it did'),
  workflow: z.string().describe('Its template; “(graph)” where the graph came with the request'),
  metadata: z.record(z.string(), z.string()).describe('The labels that it was sent with'),
  priority: z.enum(PRIORITIES).describe('Among its owner’s own waiting jobs'),
  ...seed,
  attempts: count,
  trace_id: traceId,
  notes,
  simulated,
  gpu_seconds: z.number().min(0).nullable().describe('What it took of a GPU, as far as that is known'),
  cost_usd: z.number().min(0).nullable(),
});

export const image = z.strictObject({
  filename: z.string(),
  width: count,
  height: count,
  size_bytes: count,
  content_type: z.string(),
});

export const output = z.strictObject({
  filename: z.string().describe('GET /api/image/{filename} has the bytes'),
  node: z.string().describe('The node of the graph that made it'),
  order: z.int().min(1).describe('Its place among the job’s outputs'),
  kind: z.enum(OUTPUT_KINDS),
  content_type: z.string().describe('By its content, not by its name'),
  size_bytes: count,
  sha256: z.string().nullable().describe('Of these bytes, in hex; null for jobs of release 0.1'),
  width: count.nullable().describe('In pixels, of an image whose type says it'),
  height: count.nullable(),
});

const url = z.url().describe('Presigned: for a quarter of an hour, without a key');

export const missing = z.array(
  z.strictObject({
    node: z.string(),
    class_type: z.string(),
    field: z.string().nullable().describe('Of a model file; null where the class itself is unknown'),
    value: z.string().nullable(),
    hosts: z.array(z.string()).describe('Ids of those that have it'),
  }),
);

export const status = job.extend({
  event_id: z.string().describe('Changes when the job does: ?since, Last-Event-ID'),
  queue_position: z.int().min(1).nullable().describe('From 1; null past 100 or when it does not wait'),
  waiting_for: z.string().nullable().describe('What a queued job waits for, such as “gpu host starting”'),
  waiting_code: z.enum(WAITING_CODES).nullable().describe('The same for programs, and for other languages'),
  waiting_detail: z
    .string()
    .nullable()
    .describe(
      'In English: why no host can be started (host_blocked), what ComfyUI’s trouble is (comfyui_trouble)',
    ),
  waiting_seconds: count
    .nullable()
    .describe(
      'Until a host should be up (host_starting), or until it is tried again (retry): not until its end',
    ),
  missing: missing.describe(
    'Of a job that no host can run: the node classes and model files that the hosts do not have',
  ),
  eta_seconds: z.number().min(0).nullable().describe('An estimate, not a promise; null where there is none'),
  images: z.array(image.extend({ url })).describe('Those of the outputs that are images'),
  outputs: z.array(output.extend({ url })).describe('All files and texts, in the order of nodes'),
});

export const preview = z.strictObject({
  content_type: z.enum(['image/jpeg', 'image/png']),
  image: z.base64().describe(`The unfinished image, at most ${PREVIEW_BYTES / 1024} KB`),
  node: z.string().nullable().describe('The node that makes it; null for a ComfyUI that does not say'),
  current_step: z.int().min(1).nullable().describe('Of that node; null where it is not known'),
  total_steps: z.int().min(1).nullable(),
});

const queued = z.array(z.tuple([z.int().min(1), z.uuid()])).describe('[n, prompt_id], in the order they run');

const found = {
  path: z.string().describe('Of the bytes, at this API: GET with the key'),
  thumbnail: z.string().nullable().describe('The same of a small image; null where it is no image'),
};
const duration = {
  duration_seconds: z
    .number()
    .min(0)
    .nullable()
    .describe('From its first start to its end; null where it did not start, or has not ended'),
};

export const jobs = z.strictObject({
  jobs: z
    .array(job.extend({ ...duration, outputs: z.array(output.extend(found)) }))
    .describe('Newest first; may be fewer than the limit, or none, though there are more: see next_cursor'),
  next_cursor: cursor,
});

export const details = status.extend({
  ...duration,
  outputs: z.array(output.extend({ url, ...found })),
  owner: z.string(),
  inputs: z
    .record(z.string(), z.unknown())
    .describe(
      'All of the workflow’s, those that were filled in too; none where the graph came with the request',
    ),
  host: z.string().nullable().describe('The host of the last attempt'),
  claimed_at: time.nullable().describe('When that host took it'),
  queued_seconds: z.number().min(0).nullable().describe('Until its first start; null where it did not start'),
  lost_attempts: count.describe('Those that had started and ended without a result'),
  failed_node: z
    .strictObject({ node: z.string(), class_type: z.string(), exception: z.string(), message: z.string() })
    .nullable()
    .describe('Where error_code is node_failed: which one, and what Python raised'),
});

export const queue = z.strictObject({
  queue: z.strictObject({ queue_pending: queued, queue_running: queued }),
  jobs: z.record(z.string(), job).describe('The same jobs by their id, at most 100'),
  total_jobs: count.describe('All that have not ended'),
  next_cursor: cursor,
});

export const cancelled = z.strictObject(success);

export const removed = z.strictObject(success);

export const cleared = z.strictObject({
  ...success,
  cleared: count,
  remaining: count.describe('Past 1,000 the rest is cleared by itself'),
});

export const outputs = z.strictObject({
  images: z.array(z.string()).describe('File names, newest first'),
  total: count.describe('Exact up to 1,000'),
  total_is_exact: exact,
  output_dir: z.string(),
  next_cursor: cursor,
});

const historyEntry = z.strictObject({
  prompt: z
    .tuple([
      z.int(),
      z.uuid(),
      z.record(z.string(), z.unknown()),
      z.record(z.string(), z.unknown()),
      z.array(z.string()),
    ])
    .describe('As ComfyUI’s: [moment of acceptance in ms, prompt_id, graph, extra data, output nodes]'),
  outputs: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.array(z.strictObject({ filename: z.string(), subfolder: z.string(), type: z.literal('output') })),
      ),
    )
    .describe('By node, then by the key under which ComfyUI lists them, such as images or audio'),
  status: z.enum(['success', 'error']),
  job_id: jobId,
  error: z.string().nullable(),
});

export const history = z.strictObject({
  history: z.record(z.string(), historyEntry).describe('By prompt_id, newest first'),
  total_items: count.describe('Exact up to 1,000'),
  total_is_exact: exact,
  next_cursor: cursor,
});

export const pictureMetadata = z.strictObject({
  prompt: z
    .looseObject({})
    .nullable()
    .describe('The graph that ran, in the API format; null: the picture has none'),
  workflow: z
    .looseObject({})
    .nullable()
    .describe('The canvas that it came from, where the job was sent with one'),
});

export const uploads = z.strictObject({
  uploads: z
    .array(
      z.strictObject({
        name: z.string().describe('What an input of the type image takes'),
        size_bytes: count,
        uploaded_at: time.describe('Or put again, by a use'),
        expires_at: time.describe('Unless it is used before'),
      }),
    )
    .describe('By name'),
  next_cursor: cursor,
});

export const uploaded = z.strictObject({
  name: z.string().describe('What an input of the type image takes'),
  subfolder: z.literal(''),
  type: z.literal('input'),
});

export const uploadLink = z.strictObject({
  name: z.string().describe('What an input takes, once the file is there'),
  uploaded: z.boolean().describe('True: the file is here already'),
  upload: z
    .strictObject({
      method: z.literal('PUT'),
      url: z.url(),
      headers: z.record(z.string(), z.string()).describe('To be sent as they are'),
      expires_at: time.describe('When the PUT must have begun'),
    })
    .nullable()
    .describe('null: nothing need be sent'),
});
