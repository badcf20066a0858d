// `generate`: a template's inputs become a job, accepted as every other. The job is the task, where the client takes tasks:
// its id is the job's, so that it outlives the connection and the process.

import type { CallToolResult } from '@modelcontextprotocol/server';
import { hasEnded, type Job } from '../../core/job.ts';
import { invalid } from '../../core/inputs.ts';
import type { Template } from '../../core/template.ts';
import { accept } from '../admission/accept.ts';
import { fromTemplate } from '../admission/from-template.ts';
import { PRIORITIES } from '../../core/priority.ts';
import { setHeaders } from '../http/headers.ts';
import { type Arguments, INLINE, inlineOf, refuseOthers, textOf, WAIT_SECONDS, waitOf } from './arguments.ts';
import type { Call, McpDeps } from './deps.ts';
import { jobResult } from './job-result.ts';
import { taskOf } from './task-view.ts';
import type { Tool } from './tool.ts';
import { waited } from './wait.ts';

/** Beside the inputs of the template: each is an argument of its own. */
const BESIDE = ['workflow', 'preset', 'metadata', 'priority', 'webhook_url'];

export const generate: Tool = {
  name: 'generate',
  title: 'Make an image',
  scope: 'generate',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  describe: ({ workflows }) =>
    `Makes images by a workflow of this server's ComfyUI. Waits up to ${WAIT_SECONDS.maximum} s; what takes longer goes on, and get_job has it. ` +
    `list_workflows says what each takes; these there are: ${listed(workflows.templates)}`,
  inputs: {
    workflow: { type: 'string', description: 'Its name; the first one where it is absent' },
    inputs: {
      type: 'object',
      additionalProperties: true,
      description: 'What the workflow takes, as list_workflows says: {"prompt": "a red fox"}',
    },
    preset: { type: 'string', description: 'One of the presets of the workflow' },
    metadata: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Labels to find the job by',
    },
    priority: {
      type: 'string',
      enum: [...PRIORITIES],
      description: 'Among one’s own waiting jobs; normal where it is absent',
    },
    idempotency_key: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description:
        'A name of your choice for this very image. Called again with the same key and inputs, it is the same job: use it to repeat a call whose answer got lost',
    },
    wait_seconds: WAIT_SECONDS,
    inline: INLINE,
  },

  async call(deps, call, given) {
    refuseOthers(given, Object.keys(this.inputs));
    const ms = waitOf(given);
    const inline = inlineOf(given);
    const job = await accepted(deps, call, given);
    if (call.takesTasks && !hasEnded(job.state))
      return { resultType: 'task', ...taskOf(deps, job) } as unknown as CallToolResult;
    return jobResult(deps, call, await waited(deps, call, job, ms), inline);
  },
};

async function accepted(deps: McpDeps, { c }: Call, given: Arguments): Promise<Job> {
  const caller = c.get('caller');
  const wanted = fromTemplate(deps, caller, bodyOf(given));
  const { request, state, headers } = await accept(deps, caller, wanted, keyOf(given));
  setHeaders(c, headers);
  const job = state ? { state, request } : await deps.reader.read(request.jobId);
  if (!job) throw new Error(`Job ${request.jobId} is gone right after it was accepted`);
  return job;
}

/** @returns the body of POST /api/generate @throws AppError invalid_field */
function bodyOf({ workflow, preset, metadata, priority, inputs = {} }: Arguments): Record<string, unknown> {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs))
    throw invalid('inputs', 'must be an object such as {"prompt": "a red fox"}');
  const misplaced = BESIDE.find((name) => Object.hasOwn(inputs, name));
  if (misplaced !== undefined) throw invalid(`inputs.${misplaced}`, 'is no input: it stands beside "inputs"');
  return { ...inputs, ...present({ workflow, preset, metadata, priority }) };
}

/** null counts as absent. */
function present(fields: Arguments): Arguments {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** @throws AppError invalid_field */
function keyOf(given: Arguments): string | undefined {
  const key = textOf(given, 'idempotency_key');
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key))
    throw invalid('idempotency_key', 'must have 1 to 255 printable ASCII characters without spaces');
  return key;
}

/** With what each needs: most calls then need no look at the whole list. */
function listed(templates: ReadonlyMap<string, Template>): string {
  return [...templates.values()]
    .map(({ name, inputs }) => {
      const required = Object.keys(inputs).filter((input) => inputs[input]?.required);
      return required.length > 0 ? `${name} (${required.join(', ')})` : name;
    })
    .join('; ');
}
