// `npm run mcp`: MCP by stdio for clients that start a program, carried to /mcp of the API at API_URL, or of the one that runs here.
// It holds nothing: what a message means is the API's to say. Nothing but messages goes to stdout.

import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { cliSettings } from '../config/cli.ts';
import { CommandError } from './api.ts';
import { findApi } from './connection.ts';
import { runProgram } from './run.ts';

const program = {
  name: 'npm run mcp --',
  usage: '',
  about:
    'MCP by stdin and stdout, for clients that start a program; others take the address of the API with /mcp.',
  flags: {},
  notes: ['API_URL is the API, else the one that runs here; API_KEY is its key.'],
};

/** An image of 4 MB in base64, and room. */
const MAX_MESSAGE = 16 * 1024 * 1024;
/** JSON-RPC's, where there was no answer. */
const INTERNAL_ERROR = -32603;

async function mcp(stopped: AbortSignal): Promise<void> {
  const found = await findApi(process.env);
  if (!found) throw new CommandError('No API runs here: start it with npm start, or set API_URL');
  const { API_KEY } = cliSettings(process.env);
  const headers: Record<string, string> = API_KEY === undefined ? {} : { Authorization: `Bearer ${API_KEY}` };
  const http = new StreamableHTTPClientTransport(new URL(`${found.api.url}/mcp`), {
    requestInit: { headers },
  });
  const stdio = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: MAX_MESSAGE });
  await carry(stdio, http, stopped);
}

/** Resolves when stdin has ended and all is answered, or with the signal. */
async function carry(
  stdio: StdioServerTransport,
  http: StreamableHTTPClientTransport,
  stopped: AbortSignal,
): Promise<void> {
  const asked = new Map<string | number, AbortController>();
  const say = (message: JSONRPCMessage) => stdio.send(message).catch(() => undefined);
  const answerLost = (id: string | number, message: string) => {
    if (asked.delete(id)) void say({ jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message } });
  };

  /* oxlint-disable unicorn/prefer-add-event-listener -- A transport has these in place of events. */
  http.onmessage = (message) => {
    if ('id' in message && message.id !== undefined && !('method' in message)) asked.delete(message.id);
    // Of a client that began with `initialize`, the later requests name what was agreed on.
    const agreed = 'result' in message ? message.result['protocolVersion'] : undefined;
    if (typeof agreed === 'string') http.setProtocolVersion(agreed);
    void say(message);
  };

  stdio.onmessage = (message) => {
    if ('method' in message && message.method === 'notifications/cancelled') {
      const id = message.params?.['requestId'] as string | number;
      // By HTTP a request is cancelled by leaving it.
      asked.get(id)?.abort();
      asked.delete(id);
      return;
    }
    const id = 'method' in message && 'id' in message ? message.id : undefined;
    const leaving = new AbortController();
    if (id !== undefined) asked.set(id, leaving);
    http
      .send(message, {
        requestSignal: leaving.signal,
        onRequestStreamEnd: () => id !== undefined && answerLost(id, 'The answer broke off; call again'),
      })
      .catch((error: unknown) => id !== undefined && answerLost(id, String(error)));
  };

  await http.start();
  const ended = new Promise<void>((resolve) => {
    stdio.onclose = resolve;
    process.stdin.once('end', resolve);
    stopped.addEventListener('abort', () => resolve());
  });
  await stdio.start();
  await ended;
  await http.close();
}

await runProgram(program, (_, stopped) => mcp(stopped), { stops: true });
