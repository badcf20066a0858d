// The methods of the Tasks extension, over jobs: the server asks for no input, so that an update is only acknowledged.

import type { Result, ServerContext } from '@modelcontextprotocol/server';
import type { Context } from 'hono';
import { allows, type Scope } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { hasEnded } from '../../core/job.ts';
import { cancelJob } from '../admission/cancel.ts';
import { ownJob } from '../admission/own-job.ts';
import type { ApiEnv } from '../deps.ts';
import { jobIdOf } from './arguments.ts';
import type { McpDeps } from './deps.ts';
import { jobResult } from './job-result.ts';
import { TASKS, taskOf } from './task-view.ts';

export type TaskMethod = (c: Context<ApiEnv>, taskId: string) => Promise<Result>;

export function taskMethods(deps: McpDeps): Record<string, { scope: Scope; handle: TaskMethod }> {
  return {
    'tasks/get': {
      scope: 'read',
      async handle(c, taskId) {
        const job = await ownJob(deps, c.get('caller'), jobIdOf(taskId));
        const task = taskOf(deps, job);
        if (!hasEnded(job.state) || task.status === 'cancelled') return task;
        // As the call of the tool would have answered, discriminator and all.
        const result = await jobResult(deps, { c }, job, true);
        return { ...task, result: { ...result, resultType: 'complete' } };
      },
    },
    'tasks/update': {
      scope: 'generate',
      async handle(c, taskId) {
        await ownJob(deps, c.get('caller'), jobIdOf(taskId));
        return {};
      },
    },
    'tasks/cancel': {
      scope: 'generate',
      async handle(c, taskId) {
        await cancelJob(deps, c.get('caller'), jobIdOf(taskId));
        return {};
      },
    },
  };
}

/** Declared with each request. */
export function takesTasks({ sdk }: McpDeps, { mcpReq }: ServerContext): boolean {
  const declared = mcpReq.envelope?.[sdk.CLIENT_CAPABILITIES_META_KEY as keyof typeof mcpReq.envelope] as
    | { extensions?: Record<string, unknown> }
    | undefined;
  return declared?.extensions?.[TASKS] !== undefined;
}

/** @throws ProtocolError, AppError forbidden */
export function refuseTask(deps: McpDeps, c: Context<ApiEnv>, context: ServerContext, scope: Scope): void {
  if (!takesTasks(deps, context))
    throw new deps.sdk.MissingRequiredClientCapabilityError({
      requiredCapabilities: { extensions: { [TASKS]: {} } },
    });
  refuseScope(c, scope);
}

/** @throws AppError forbidden */
export function refuseScope(c: Context<ApiEnv>, scope: Scope): void {
  if (!allows(c.get('caller'), scope))
    throw new AppError('forbidden', `This API key may not do that: it lacks the scope ${scope}`, { scope });
}
