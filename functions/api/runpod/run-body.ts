// The body of a run: its input, and RunPod's own fields beside it, which are kept to or refused by name.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { parseJson } from '../../core/json.ts';
import { JOB_EXPIRES_AFTER } from '../../core/limits.ts';
import { TIMINGS } from '../../core/timings.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { jsonObject } from '../http/body.ts';

/** `timeout` stands in RunPod's own JavaScript examples beside `input`, where it means nothing to RunPod either. */
const FIELDS = ['input', 'policy', 'webhook', 's3Config', 'timeout'];

/** @throws AppError missing_field, unknown_field, invalid_field */
export async function inputOf(c: Context<ApiEnv>, deps: ApiDeps): Promise<Record<string, unknown>> {
  const { input, policy, webhook, s3Config, ...rest } = await jsonObject(c);
  const unknown = Object.keys(rest).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined)
    throw new AppError(
      'unknown_field',
      `Unknown field: ${unknown.slice(0, 60)}; a run takes input, and policy; what a workflow takes stands in input`,
      { field: unknown },
    );
  refuseGiven(
    'webhook',
    webhook,
    'is not taken: poll the status, or send input.webhook_url for this API’s own webhook, which is signed',
  );
  refuseGiven(
    's3Config',
    s3Config,
    'is not taken: no credentials of a bucket are kept for a job that waits; RUNPOD_OUTPUT=s3_url answers with links to this API’s own',
  );
  checkPolicy(policy, deps);
  return inputObject(input);
}

function refuseGiven(field: string, value: unknown, why: string): void {
  if (value !== undefined && value !== null) throw invalid(field, why);
}

/** As worker-comfyui takes it: an object, or its JSON. */
function inputObject(given: unknown): Record<string, unknown> {
  const input = typeof given === 'string' ? parsed(given) : given;
  if (input === undefined || input === null)
    throw new AppError('missing_field', 'Missing required field: input', { field: 'input' });
  if (typeof input !== 'object' || Array.isArray(input)) throw invalid('input', 'must be an object');
  return input as Record<string, unknown>;
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw invalid('input', 'must be an object, or the JSON of one');
  }
}

/** Only what holds for every job here can be promised for one. */
function checkPolicy(policy: unknown, { timings = TIMINGS }: Pick<ApiDeps, 'timings'>): void {
  if (policy === undefined || policy === null) return;
  if (typeof policy !== 'object' || Array.isArray(policy)) throw invalid('policy', 'must be an object');
  const kept: Record<string, unknown> = {
    executionTimeout: timings.jobLimit,
    ttl: JOB_EXPIRES_AFTER,
    lowPriority: false,
  };
  for (const [name, value] of Object.entries(policy)) {
    if (value === null || (Object.hasOwn(kept, name) && value === kept[name])) continue;
    throw Object.hasOwn(kept, name)
      ? invalid(`policy.${name}`, `is ${String(kept[name])} for every job here; leave it out`)
      : new AppError('unknown_field', `Unknown field: policy.${name.slice(0, 60)}`, {
          field: `policy.${name}`,
        });
  }
}
