// What a tool is here.

import type { CallToolResult, JSONObject, ToolAnnotations } from '@modelcontextprotocol/server';
import type { Scope } from '../../core/access.ts';
import type { Arguments } from './arguments.ts';
import type { Call, McpDeps } from './deps.ts';

export interface Tool {
  name: string;
  title: string;
  /** What a key must have. */
  scope: Scope;
  annotations: ToolAnnotations;
  describe(deps: McpDeps): string;
  /** JSON Schema of each argument. */
  inputs: Record<string, JSONObject>;
  required?: readonly string[];
  /** @throws AppError for what the caller can correct */
  call(deps: McpDeps, call: Call, given: Arguments): Promise<CallToolResult>;
}
