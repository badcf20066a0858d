// What the routes of operators answer.

import * as z from 'zod';
import { SCOPES } from '../../core/access.ts';
import { LIMIT_WORDS, type LimitName } from '../../core/own-limits.ts';
import { FAILURES } from './jobs.ts';

const time = z.iso.datetime();
const count = z.int().min(0);
const seconds = z.number().min(0);

export const hosts = z.strictObject({
  hosts: z.array(
    z.strictObject({
      host_id: z.string(),
      machine_id: z.string().describe('On EC2 the instance'),
      zone: z.string().nullable().describe('On EC2 the availability zone'),
      state: z.enum(['ready', 'draining']),
      comfyui: z.enum(['connected', 'silent']),
      comfyui_version: z.string().nullable(),
      comfyui_url: z.string().nullable().describe('Where a machine has several'),
      trouble: z.string().nullable(),
      simulated: z.boolean(),
      release: z.string().nullable(),
      devices: z.array(
        z.strictObject({
          name: z.string(),
          vram: z.number().describe('MiB'),
          vram_free: z.number().describe('MiB, when the host was seen last'),
        }),
      ),
      models: z.array(z.string()).describe('Of the graphs that ran last: what it probably has in memory'),
      slots: count,
      held: count,
      seconds_per_job: seconds.nullable(),
      running: z
        .array(
          z.strictObject({
            job_id: z.uuid(),
            owner: z.string(),
            status: z.enum(['queued', 'processing']).describe('queued: claimed, and not started'),
            since: time,
            progress: z.number().min(0).max(1),
          }),
        )
        .describe('The jobs that it holds'),
      started_at: time,
      seen_at: time,
    }),
  ),
  total: count.describe('All that are alive; 500 are listed'),
});

export const queueByOwner = z.strictObject({
  waiting: count,
  held: count,
  counted_all: z.boolean().describe('False: only the first 10,000 rows of each were counted'),
  oldest_wait_seconds: seconds.nullable(),
  owners: z
    .array(
      z.strictObject({
        owner: z.string(),
        waiting: count,
        held: count,
        oldest_wait_seconds: seconds.nullable(),
      }),
    )
    .describe('At most 100, those with most waiting jobs first'),
});

const spread = z.strictObject({ p50: seconds.nullable(), p95: seconds.nullable() });

export const hours = z.strictObject({
  interval_seconds: z.literal(300),
  intervals: z
    .array(
      z.strictObject({
        at: time.describe('When it begins'),
        completed: count,
        failed: count,
        cancelled: count.describe('Neither their outputs nor their times are in the others'),
        outputs: count,
        gpu_seconds: seconds,
        wait_seconds: spread.describe('From acceptance to the first start'),
        run_seconds: spread.describe('GPU time of all attempts'),
        webhooks: z
          .strictObject({
            delivered: count,
            failed_tries: count.describe('Those that are repeated, and the last ones'),
            given_up: count.describe('Webhooks, not tries'),
          })
          .describe('By when they were tried'),
      }),
    )
    .describe('By when jobs ended, oldest first; the last one goes on'),
});

export const failures = z.strictObject({
  codes: z
    .array(
      z.strictObject({
        code: z.enum(FAILURES),
        count,
        jobs: z
          .array(
            z.strictObject({
              job_id: z.uuid(),
              owner: z.string(),
              ended_at: time,
              error: z.string().nullable(),
            }),
          )
          .describe('The latest five that have not been removed'),
      }),
    )
    .describe('Most frequent first'),
});

export const key = z.strictObject({
  key_id: z.string(),
  name: z.string(),
  owner: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: time,
  valid_until: time.nullable(),
  revoked_at: time.nullable(),
  valid: z.boolean(),
});

export const keys = z.strictObject({ keys: z.array(key).describe('Oldest first, without their secrets') });

export const newKey = key.extend({ key: z.string().describe('The key itself: shown this once') });

const ownLimit = z.strictObject({
  set: z
    .union([z.number().min(0), z.enum(LIMIT_WORDS)])
    .describe('Its own: default is what the API is set to'),
  limit: z.number().min(0).nullable().describe('In force; null: unlimited'),
  used: z.number().min(0).nullable().describe('null: not counted here'),
});

export const ownerLimits = z.strictObject({
  owner: z.string(),
  limits: z.strictObject({
    requests_per_minute: ownLimit,
    unfinished_jobs: ownLimit.describe('Jobs that wait or run'),
    images_per_day: ownLimit.describe('UTC’s; with what is reserved for jobs that have not ended'),
    usd_per_month: ownLimit.describe('UTC’s; with an estimate for jobs that have not ended'),
    upload_mb: ownLimit.describe('MB of uploads that are kept'),
  } satisfies Record<LimitName, typeof ownLimit>),
});

export const ownersLimits = z.strictObject({
  applied: z.boolean().describe('False: the API asks for no keys, and limits nothing'),
  owners: z
    .array(ownerLimits)
    .describe(
      'Jobs and images as the table has them, some minutes late; dollars and uploads of one owner only',
    ),
  total: count.describe('Owners with keys; 500 are listed'),
});

export const usageByDay = z.strictObject({
  owner: z.string(),
  days: z
    .array(
      z.strictObject({
        day: z.iso.date(),
        jobs: count,
        images: count,
        usd: z.number().min(0),
        gpu_seconds: seconds,
      }),
    )
    .describe('UTC’s, oldest first; of ended jobs, some minutes late'),
});
