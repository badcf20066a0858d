// What tests of MCP share: the real client by either revision, the Tasks extension over it, and messages written by hand.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';
import { expect } from 'vitest';
import type { Json } from '../support.ts';

export const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof REVISIONS)[number];

const CLIENT = { name: 'test', version: '1.0.0' };
const META = 'io.modelcontextprotocol';
const TASKS = `${META}/tasks`;

/** Unchanged but for the address and the key. */
export async function connected(url: string, revision: Revision, key?: string): Promise<Client> {
  const client = new Client(CLIENT, {
    versionNegotiation: { mode: revision === '2025-11-25' ? 'legacy' : { pin: revision } },
  });
  const headers: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }),
  );
  return client;
}

export interface Block {
  type: string;
  text?: string;
  data?: string;
  mimeType?: string;
  uri?: string;
}

export interface Called {
  isError: boolean;
  /** The first block, which is JSON. */
  json: Json;
  blocks: Block[];
}

export async function tool(
  client: Client,
  name: string,
  given: Json = {},
  options: Parameters<Client['callTool']>[1] = {},
): Promise<Called> {
  return calledOf(await client.callTool({ name, arguments: given }, options));
}

export function calledOf(result: unknown): Called {
  const { content, isError = false } = result as { content: Block[]; isError?: boolean };
  return { isError, json: JSON.parse(content[0]!.text!) as Json, blocks: content };
}

/** A message as it is, of the revision 2026-07-28. */
export async function rpc(
  url: string,
  method: string,
  params: Json = {},
  { capabilities = {}, headers = {} }: { capabilities?: Json; headers?: Record<string, string> } = {},
): Promise<{ status: number; json: Json; headers: Headers }> {
  const name = params['name'] ?? params['uri'] ?? params['taskId'];
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          [`${META}/protocolVersion`]: '2026-07-28',
          [`${META}/clientInfo`]: CLIENT,
          [`${META}/clientCapabilities`]: capabilities,
        },
      },
    }),
  });
  return { status: answer.status, json: messageOf(await answer.text()), headers: answer.headers };
}

export const withTasks = { capabilities: { extensions: { [TASKS]: {} } } };

/** The last message of an answer, which may be a stream. */
export function messageOf(text: string): Json {
  const lines = text.startsWith('{')
    ? [text]
    : text.split('\n').flatMap((line) => /^data: (.+)$/.exec(line)?.[1] ?? []);
  expect({ text, lines: lines.length }).not.toMatchObject({ lines: 0 });
  return JSON.parse(lines.at(-1)!) as Json;
}

/** `@modelcontextprotocol/ext-tasks` over a client, which asks its host for the way to the server. */
export function taskSession(client: Client, url: string) {
  return createTaskSessionFromClient(client, {
    endpointId: url,
    async rawDispatch(request) {
      const { method, params } = request as { method: string; params: Json };
      const { _meta: _, ...given } = params;
      const { json } = await rpc(url, method, given, withTasks);
      const { error, result } = json as { error?: { code: number; message: string }; result?: never };
      return error ? { kind: 'error', error } : { kind: 'result', result: result! };
    },
    v2RequestFraming: { protocolVersion: '2026-07-28', clientInfo: CLIENT, clientCapabilities: {} },
  });
}
