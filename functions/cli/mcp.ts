// `npm run mcp`: MCP by stdio for clients that start a program, carried to /mcp of the API at API_URL, or of the one that runs here.
// It holds nothing: what a message means is the API's to say. Nothing but messages goes to stdout.

import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { PassThrough } from 'node:stream';
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
  // Not stdin itself: when that ends the transport (2.4.0) says no more, not even what was asked before.
  const asking = process.stdin.pipe(new PassThrough(), { end: false });
  const stdio = new StdioServerTransport(asking, process.stdout, { maxBufferSize: MAX_MESSAGE });
  const silent = `The API at ${found.api.url} does not answer: start it with npm start, or set API_URL`;
  await carry(stdio, http, (error) => (error instanceof TypeError ? silent : String(error)), stopped);
}

/** Resolves when stdin has ended and all is answered, or with the signal. */
async function carry(
  stdio: StdioServerTransport,
  http: StreamableHTTPClientTransport,
  explained: (error: unknown) => string,
  stopped: AbortSignal,
): Promise<void> {
  const asked = new Map<string | number, AbortController>();
  const say = (message: JSONRPCMessage) => stdio.send(message).catch(() => undefined);
  let allAnswered = () => {};
  const settled = (id: string | number) => {
    asked.delete(id);
    if (asked.size === 0) allAnswered();
  };
  const answerLost = async (id: string | number, message: string) => {
    if (!asked.has(id)) return;
    await say({ jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message } });
    settled(id);
  };

  /* oxlint-disable unicorn/prefer-add-event-listener -- A transport has these in place of events. */
  http.onmessage = async (message) => {
    // Of a client that began with `initialize`, the later requests name what was agreed on.
    const agreed = 'result' in message ? message.result['protocolVersion'] : undefined;
    if (typeof agreed === 'string') http.setProtocolVersion(agreed);
    await say(message);
    if ('id' in message && message.id !== undefined && !('method' in message)) settled(message.id);
  };

  stdio.onmessage = (message) => {
    if ('method' in message && message.method === 'notifications/cancelled') {
      const id = message.params?.['requestId'] as string | number;
      // By HTTP a request is cancelled by leaving it.
      asked.get(id)?.abort();
      settled(id);
      return;
    }
    const id = 'method' in message && 'id' in message ? message.id : undefined;
    const leaving = new AbortController();
    if (id !== undefined) asked.set(id, leaving);
    http
      .send(message, {
        requestSignal: leaving.signal,
        onRequestStreamEnd: () => id !== undefined && void answerLost(id, 'The answer broke off; call again'),
      })
      .catch((error: unknown) => id !== undefined && void answerLost(id, explained(error)));
  };

  await http.start();
  const ended = new Promise<void>((resolve) => {
    const noMoreComes = () => {
      allAnswered = resolve;
      if (asked.size === 0) resolve();
    };
    stdio.onclose = noMoreComes;
    process.stdin.once('end', noMoreComes);
    stopped.addEventListener('abort', () => resolve());
  });
  await stdio.start();
  await ended;
  await http.close();
}

await runProgram(program, (_, stopped) => mcp(stopped), { stops: true });
