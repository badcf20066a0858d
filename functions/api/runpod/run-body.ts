// The body of a run: its input, and RunPod's own fields beside it, which are kept to or refused by name.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { parseJson } from '../../core/json.ts';
import { JOB_EXPIRES_AFTER } from '../../core/limits.ts';
import { TIMINGS } from '../../core/timings.ts';
import { parseWebhookUrl } from '../../core/webhook.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { jsonObject } from '../http/body.ts';
import type { RunOptions } from './run-options.ts';

/** `timeout` stands in RunPod's own JavaScript examples beside `input`, where it means nothing to RunPod either. */
const FIELDS = ['input', 'policy', 'webhook', 's3Config', 'timeout'];

export interface RunBody {
  input: Record<string, unknown>;
  /** What the job's request has of the fields beside it. */
  options: RunOptions;
}

/** @throws AppError missing_field, unknown_field, invalid_field */
export async function runBodyOf(c: Context<ApiEnv>, deps: ApiDeps): Promise<RunBody> {
  const { input, policy, webhook, s3Config, ...rest } = await jsonObject(c);
  const unknown = Object.keys(rest).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined)
    throw new AppError(
      'unknown_field',
      `Unknown field: ${unknown.slice(0, 60)}; a run takes input, and policy; what a workflow takes stands in input`,
      { field: unknown },
    );
  refuseGiven(
    's3Config',
    s3Config,
    'is not taken: no credentials of a bucket are kept for a job that waits; RUNPOD_OUTPUT=s3_url answers with links to this API’s own',
  );
  const options = { ...policyOf(policy, deps), ...webhookOf(webhook, deps) };
  return { input: inputObject(input), options };
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

/** @throws AppError invalid_field */
function webhookOf(webhook: unknown, { settings }: Pick<ApiDeps, 'settings'>): RunOptions {
  const webhookUrl = parseWebhookUrl(webhook, settings.webhookAllowPrivate ?? false, 'webhook');
  return webhookUrl === undefined ? {} : { webhookUrl, webhookAs: 'runpod' };
}

/** RunPod's own least, ms. */
const LEAST_TIMEOUT = 5000;

/** @throws AppError invalid_field, unknown_field */
function policyOf(policy: unknown, { timings = TIMINGS }: Pick<ApiDeps, 'timings'>): RunOptions {
  if (policy === undefined || policy === null) return {};
  if (typeof policy !== 'object' || Array.isArray(policy)) throw invalid('policy', 'must be an object');
  const { executionTimeout, ttl, lowPriority, ...others } = policy as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new AppError('unknown_field', `Unknown field: policy.${unknown.slice(0, 60)}`, {
      field: `policy.${unknown}`,
    });
  if ((ttl ?? JOB_EXPIRES_AFTER) !== JOB_EXPIRES_AFTER)
    throw invalid('policy.ttl', `is ${JOB_EXPIRES_AFTER} for every job here; leave it out`);
  if (typeof (lowPriority ?? false) !== 'boolean')
    throw invalid('policy.lowPriority', 'must be true or false');
  const runLimit = executionTimeout ?? undefined;
  if (runLimit !== undefined && !isTimeout(runLimit, timings.jobLimit))
    throw invalid(
      'policy.executionTimeout',
      `must be whole milliseconds above ${LEAST_TIMEOUT}, at most ${timings.jobLimit}`,
    );
  return {
    ...(runLimit !== undefined && { runLimit }),
    ...(lowPriority === true && { priority: 'low' as const }),
  };
}

function isTimeout(given: unknown, most: number): given is number {
  return Number.isSafeInteger(given) && Number(given) > LEAST_TIMEOUT && Number(given) <= most;
}
