// The simulated ComfyUI as a whole: a server over real HTTP and WebSocket.
// A stand-in for tests and the demo: everything it makes says "simulated".
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { OutputCache } from './cache.ts';
import type { Version } from './catalogue.ts';
import { Checkpoints } from './checkpoints.ts';
import { dialectOf } from './dialect.ts';
import { Executor } from './executor.ts';
import { Faults, type FaultSwitches } from './faults.ts';
import { Folders } from './folders.ts';
import { BodyTooLarge, type Handler, sendEmpty, sendServerError, sendText } from './http.ts';
import { isForeign } from './origin.ts';
import { PromptQueue, type PromptWatcher } from './queue.ts';
import { routesOf } from './routes.ts';
import { Sockets } from './sockets.ts';

export type { Version } from './catalogue.ts';
export type { Faults, FaultSwitches } from './faults.ts';

export interface SimulatedComfyUIOptions {
  /** The version of ComfyUI that it simulates. */
  version?: Version;
  /** Milliseconds per sampling step; 0: samplers take no time. */
  stepMs?: number;
  /** 0: any free port. */
  port?: number;
  host?: string;
  /** Holds output/, temp/ and input/, and is kept; by default a temporary one that is deleted with the server. */
  directory?: string;
  /** Preview frames between sampling steps, as with --preview-method; a prompt's preview_method wins. */
  previews?: boolean;
  /** Files that CheckpointLoaderSimple lists, beside those of the recording. */
  checkpoints?: string[];
  /** Milliseconds for loading a checkpoint that was not the last one. */
  loadMs?: number;
  /** Node classes that are not installed. */
  lacks?: string[];
  faults?: Partial<FaultSwitches>;
  watcher?: PromptWatcher;
}

export interface SimulatedComfyUI {
  url: string;
  port: number;
  inputDirectory: string;
  outputDirectory: string;
  faults: Faults;
  /** Every load of a checkpoint, in order. */
  loads: readonly string[];
  /** The last requests, oldest first, at most a thousand; paths as requested, without the query. */
  requests: { method: string; path: string }[];
  close(): Promise<void>;
}

const rememberedRequests = 1000;

export async function startSimulatedComfyUI({
  version = '0.33',
  stepMs = 80,
  port = 0,
  host = '127.0.0.1',
  directory,
  previews = false,
  checkpoints: files = [],
  loadMs = 0,
  lacks = [],
  faults: switches = {},
  watcher = {},
}: SimulatedComfyUIOptions = {}): Promise<SimulatedComfyUI> {
  const root = resolve(directory ?? (await mkdtemp(join(tmpdir(), 'simulated-comfyui-'))));
  const folders = new Folders(root);
  await folders.make();
  const dialect = dialectOf(version, files, lacks);
  const checkpoints = new Checkpoints(loadMs);
  const counter = { next: 0 };
  const faults = new Faults(switches, () => {
    counter.next = 0;
    queue.forget();
    executor.abandon();
    cutSockets();
  });
  const sockets = new Sockets(faults, dialect.features);
  const acceptor = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const neverAccepted = new Set<Duplex>();
  const cutSockets = () => {
    sockets.forget();
    for (const socket of acceptor.clients) socket.terminate();
    for (const socket of neverAccepted) socket.destroy();
  };
  const status = () => ({ exec_info: { queue_remaining: queue.remaining } });
  const queue = new PromptQueue(() => sockets.send('status', { status: status() }, null), watcher);
  const around = {
    dialect,
    sockets,
    folders,
    faults,
    cache: new OutputCache(),
    checkpoints,
    stepMs,
    previews,
  };
  const executor = new Executor(queue, around);
  const routes = routesOf({ dialect, queue, executor, folders, faults, counter });
  const requests: SimulatedComfyUI['requests'] = [];

  const note = ({ method = 'GET' }: IncomingMessage, path: string) => {
    requests.push({ method, path });
    if (requests.length > rememberedRequests) requests.shift();
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, plain, query } = locate(request);
    note(request, path);
    const fate = faults.fateOfRequest(plain);
    if (fate === 'hang') return;
    if (fate === '500') return sendServerError(response);
    if (isForeign(request.headers, dialect)) return sendEmpty(response, 403);
    if (request.method === 'OPTIONS') return sendEmpty(response, 200);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    const found = findRoute(routes, method, path, plain);
    if (found === undefined) return sendEmpty(response, method === 'GET' ? 404 : 405);
    try {
      await found.handler({ request, response, path: plain, query, name: found.name });
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else if (error instanceof BodyTooLarge) sendText(response, 413, 'Maximum request body size exceeded');
      else sendServerError(response);
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  // Longer than clients keep a connection, so that none is closed while a request is on its way. Ms.
  server.keepAliveTimeout = 75_000;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { path, plain, query } = locate(request);
    note(request, path);
    const fate = faults.fateOfRequest(plain);
    if (fate === 'hang') {
      neverAccepted.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => neverAccepted.delete(socket));
      return;
    }
    if (fate === '500' || plain !== '/ws') {
      socket.on('error', () => socket.destroy());
      socket.end(`HTTP/1.1 ${fate === '500' ? '500 Internal Server Error' : '404 Not Found'}\r\n\r\n`);
      return;
    }
    acceptor.handleUpgrade(request, socket, head, (accepted) => {
      const id = query.get('clientId') || randomUUID().replaceAll('-', '');
      sockets.add(accepted, id);
      sockets.send('status', { status: status(), sid: id }, id);
      const node = executor.nodeRunningFor(id);
      if (node !== null) sockets.send('executing', { node }, id);
    });
  });
  await new Promise<void>((ready, failed) => {
    server.once('error', failed);
    server.listen(port, host, ready);
  });
  const working = executor.work();
  const bound = (server.address() as AddressInfo).port;

  return {
    url: `http://${host}:${bound}`,
    port: bound,
    inputDirectory: folders.input,
    outputDirectory: folders.output,
    faults,
    loads: checkpoints.loads,
    requests,
    async close() {
      const closed = new Promise<void>((done) => {
        server.close(() => done());
      });
      queue.close();
      faults.deadWorker = false;
      executor.abandon();
      cutSockets();
      server.closeAllConnections();
      await closed;
      await working;
      if (directory === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

/** Every route exists under /api as well. */
function locate(request: IncomingMessage) {
  const asked = `http://localhost${request.url ?? '/'}`;
  const { pathname: path, searchParams: query } = new URL(
    URL.canParse(asked) ? asked : 'http://localhost/unreadable',
  );
  return { path, query, plain: path.startsWith('/api/') ? path.slice(4) : path };
}

function findRoute(routes: Map<string, Handler>, method: string, path: string, plain: string) {
  for (const candidate of [path, plain]) {
    const exact = routes.get(`${method} ${candidate}`);
    if (exact !== undefined) return { handler: exact, name: '' };
    const parts = candidate.split('/');
    for (const at of [parts.length - 1, parts.length - 2]) {
      const handler = routes.get(`${method} ${parts.with(at, '*').join('/')}`);
      if (handler !== undefined) return { handler, name: unescape(parts[at]!) };
    }
  }
  return undefined;
}

function unescape(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
