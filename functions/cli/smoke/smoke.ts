// What the checks of the smoke test share: the API, what they have made, and their time limit.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status, Workflow } from '../api.ts';
import { isFileType } from '../../core/file-types.ts';
import { lacking } from '../doctor/check.ts';
import { type Answer, type Ask, OutOfTime, saidBy } from './ask.ts';

export interface Smoke {
  /** Without a trailing slash. */
  url: string;
  ask: Ask;
  /** The caller's own key; `otherKey`: one of another owner. Undefined: none is given. */
  key: string | undefined;
  otherKey: string | undefined;
  /** The URL for a webhook. */
  webhookUrl: string | undefined;
  /** Removed at the end. */
  made: { jobs: Set<string>; uploads: Set<string> };
  /** Wall clock, ms: no check waits longer. */
  until: number;
  stopped: AbortSignal;
}

export type Inputs = Record<string, string | number | boolean>;

const POLL_EVERY = 1000;

/** Posts a job, which is removed at the end. @returns its id */
export async function submit(
  { ask, made }: Smoke,
  inputs: Inputs,
  idempotencyKey = randomUUID(),
): Promise<string> {
  const answer = await ask('/api/generate', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    body: JSON.stringify(inputs),
    finishes: true,
  });
  const { job_id: jobId } = answer.body;
  if (answer.status !== 202 || typeof jobId !== 'string')
    throw lacking(
      `POST /api/generate answered ${saidBy(answer)}`,
      'npm run doctor; a limit is raised with npm run keys -- limits',
    );
  made.jobs.add(jobId);
  return jobId;
}

/** Cancels a job. @returns false: it had ended already. @throws Found unless it has ended */
export async function cancel({ ask }: Smoke, jobId: string): Promise<boolean> {
  const answer = await ask(`/api/queue/${jobId}`, { method: 'DELETE' });
  if (answer.status !== 409) wanted(answer, 200, `DELETE /api/queue/${jobId}`);
  return answer.status === 200;
}

export async function statusOf({ ask }: Smoke, jobId: string): Promise<Status> {
  const answer = await ask(`/api/status/${jobId}`);
  return wanted(answer, 200, `GET /api/status/${jobId}`).body as Status;
}

/** @throws Found unless the answer has the status */
export function wanted(answer: Answer, status: number, what: string, advice = 'npm run doctor'): Answer {
  if (answer.status === status) return answer;
  throw lacking(`${what} answered ${saidBy(answer)}; ${status} was due`, advice);
}

/** Reads once a second until there is a value. @param limit ms, within the test's own. @returns undefined when time is over */
export async function poll<Value>(
  { until, stopped }: Smoke,
  read: () => Promise<Value | undefined>,
  limit = Infinity,
): Promise<Value | undefined> {
  const end = Math.min(until, Date.now() + limit);
  try {
    for (;;) {
      const found = await read();
      const left = end - Date.now();
      if (found !== undefined || left <= 0) return found;
      await sleep(Math.min(POLL_EVERY, left), undefined, { signal: stopped });
    }
  } catch (error) {
    if (error instanceof OutOfTime) return undefined;
    throw error;
  }
}

/** May its job be made: with no file but images? */
export function isMakeable({ inputs: { properties, required } }: Workflow): boolean {
  return required.every((name) => {
    const type = String((properties[name] as Schema | undefined)?.['x-input']);
    return type === 'image' || !isFileType(type);
  });
}

/** Inputs of a workflow's cheapest job. @param image resolves with an upload's name; called only if an input requires one */
export async function inputsFor(workflow: Workflow, image: () => Promise<string>): Promise<Inputs> {
  const { properties, required } = workflow.inputs;
  const inputs: Inputs = { workflow: workflow.name };
  for (const [name, schema] of Object.entries(properties) as [string, Schema][]) {
    if (isFileType(String(schema['x-input']))) {
      if (required.includes(name)) inputs[name] = await image();
    } else if (name in CHEAP) inputs[name] = within(schema, CHEAP[name]!);
    else if (required.includes(name) && schema.default === undefined)
      inputs[name] = schema.enum?.[0] ?? schema.minimum ?? 'a red fox';
  }
  return inputs;
}

interface Schema {
  default?: unknown;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  'x-input'?: string;
}

/** With a scale of 1 an image has the requested size. */
const CHEAP: Record<string, number> = { width: 512, height: 512, steps: 8, scale: 1, batch_size: 1 };

function within({ minimum = -Infinity, maximum = Infinity, multipleOf = 0 }: Schema, value: number): number {
  const near = Math.min(Math.max(value, minimum), maximum);
  return multipleOf > 0 ? Math.floor(near / multipleOf) * multipleOf : near;
}
