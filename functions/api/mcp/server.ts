// One request's server: MCP has no sessions since 2026-07-28, and what an older client says is served the same way, a server each.

import type { Result, ServerContext } from '@modelcontextprotocol/server';
import type { Context } from 'hono';
import * as z from 'zod/mini';
import type { Scope } from '../../core/access.ts';
import { invalid } from '../../core/inputs.ts';
import type { JobState } from '../../core/job.ts';
import type { ApiEnv } from '../deps.ts';
import type { Call, McpDeps } from './deps.ts';
import { protocolError, toolError } from './errors.ts';
import { generate } from './generate.ts';
import { cancelJobTool, getJob } from './jobs.ts';
import { refuseScope, refuseTask, takesTasks, taskMethods } from './tasks.ts';
import { messageOf, TASKS } from './task-view.ts';
import type { Tool } from './tool.ts';
import { uploadTool } from './upload.ts';
import { listWorkflows, readWorkflow, workflowResources } from './workflows.ts';

const TOOLS: readonly Tool[] = [listWorkflows, generate, getJob, cancelJobTool, uploadTool];

const IDENTITY = { name: 'comfyui-rest-api', title: 'ComfyUI', version: '1.0.0' };

const INSTRUCTIONS =
  'Makes images with ComfyUI. list_workflows says what each workflow takes; generate makes a job and waits for its images a while; ' +
  'get_job has those of a job that took longer. A job goes on when a call breaks off.';

const PAGE = z.object({ cursor: z.optional(z.string()) });
const RESOURCE = z.object({ uri: z.string() });
const TASK = z.object({ taskId: z.string() });

export function createServer(deps: McpDeps, c: Context<ApiEnv>): InstanceType<McpDeps['sdk']['Server']> {
  const { sdk } = deps;
  const server = new sdk.Server(IDENTITY, {
    instructions: INSTRUCTIONS,
    capabilities: { tools: {}, resources: {}, extensions: { [TASKS]: {} } },
  });
  const guarded = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw protocolError(deps, c, error);
    }
  };

  // With schemas of their own: what does not fit them is `Invalid params`, where the package (2.4.0) otherwise says `Internal error`.
  const listed = (method: string, scope: Scope | undefined, list: () => Result) =>
    server.setRequestHandler(method, { params: PAGE }, ({ cursor }) =>
      guarded(() => {
        if (scope) refuseScope(c, scope);
        if (cursor !== undefined) throw invalid('cursor', 'is of no list here: each has one page');
        return list();
      }),
    );
  listed('tools/list', undefined, () => ({ tools: TOOLS.map((tool) => shown(deps, tool)) }));
  listed('resources/list', 'read', () => ({ resources: workflowResources(deps) }));
  listed('resources/templates/list', undefined, () => ({ resourceTemplates: [] }));

  server.setRequestHandler('tools/call', ({ params }, context) =>
    guarded(async () => {
      const tool = TOOLS.find(({ name }) => name === params.name);
      if (!tool)
        throw new sdk.ProtocolError(
          sdk.ProtocolErrorCode.InvalidParams,
          `Unknown tool: ${params.name.slice(0, 60)}; there are ${TOOLS.map(({ name }) => name).join(', ')}`,
        );
      try {
        refuseScope(c, tool.scope);
        return await tool.call(deps, callOf(deps, c, context), params.arguments ?? {});
      } catch (error) {
        return toolError(deps, c, error);
      }
    }),
  );

  server.setRequestHandler('resources/read', { params: RESOURCE }, ({ uri }) =>
    guarded(() => {
      refuseScope(c, 'read');
      return readWorkflow(deps, uri);
    }),
  );

  for (const [method, { scope, handle }] of Object.entries(taskMethods(deps)))
    server.setRequestHandler(method, { params: TASK }, ({ taskId }, context) =>
      guarded(() => {
        refuseTask(deps, c, context, scope);
        return handle(c, taskId);
      }),
    );
  return server;
}

function shown(deps: McpDeps, { name, title, annotations, describe, inputs, required = [] }: Tool) {
  return {
    name,
    title,
    annotations,
    description: describe(deps),
    inputSchema: {
      type: 'object' as const,
      additionalProperties: false,
      properties: inputs,
      required: [...required],
    },
  };
}

function callOf(deps: McpDeps, c: Context<ApiEnv>, context: ServerContext): Call {
  const { mcpReq } = context;
  const progressToken = mcpReq._meta?.progressToken;
  // It must rise with each message, and a job that is run again begins anew.
  let said = -1;
  return {
    c,
    takesTasks: takesTasks(deps, context),
    progress(state: JobState) {
      if (progressToken === undefined || state.progress <= said) return;
      said = state.progress;
      const params = { progressToken, progress: said, total: 1, message: messageOf(state) };
      // Best effort: the client may be gone.
      void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
    },
  };
}
