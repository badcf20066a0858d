// An HTTP server on a port, or one sentence about why there is none.

import { getRequestListener } from '@hono/node-server';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '../core/errors.ts';
import { fewATurn } from './few-a-turn.ts';
import { cutStalled } from './stalled.ts';

export interface Listening {
  port: number;
  /** For what comes beside requests: upgrades to WebSockets. */
  server: Server;
  close(): Promise<void>;
}

/** Closes connections that send nothing, or a byte a second. Milliseconds. */
export const CONNECTION_LIMITS = {
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 65_000,
  /** A client that takes nothing of its answer for so long is disconnected. */
  writeTimeout: 60_000,
  /** What is still under way so long after `close` is cut. */
  closeTimeout: 10_000,
};

/**
 * @param settings prefix of the settings that an error names: API_HOST and API_PORT
 * @param isLong requests that may take longer than all others: their handler limits them
 * @throws AppError in_use or bad_setting, which names the setting
 */
export async function listen(
  handler: RequestListener,
  host: string,
  port: number,
  { closeTimeout, writeTimeout, requestTimeout, ...limits } = CONNECTION_LIMITS,
  settings: 'API' | 'COMFYUI_API' | 'FORWARDER' | 'INTAKE' = 'API',
  isLong: (req: IncomingMessage) => boolean = () => false,
): Promise<Listening> {
  // Node closes connections that were used and are idle; one on which nothing was ever sent (browsers open spare
  // ones) it would wait for without end.
  const idle = new Set<Socket>();
  let closing = false;
  // Node's own limit makes no exception.
  const server = createServer({ ...limits, requestTimeout: 0 }, (req, res) => {
    idle.delete(req.socket);
    if (!isLong(req)) limitBody(req, res, requestTimeout);
    res.once('close', () => {
      if (closing) req.socket.destroySoon();
      else if (!req.socket.destroyed) idle.add(req.socket);
    });
    handler(req, res);
  });
  cutStalled(server, writeTimeout, limits.connectionsCheckingInterval);
  server.on('connection', (socket: Socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port, settings)));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () =>
      new Promise((resolve) => {
        closing = true;
        const cut = setTimeout(() => server.closeAllConnections(), closeTimeout);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        for (const socket of idle) socket.destroy();
      }),
  };
}

const TOO_SLOW = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/** Its headers have come: server.headersTimeout. */
function limitBody(req: IncomingMessage, res: ServerResponse, limit: number): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = req.headers;
  if (length === '0' && encoding === undefined) return;
  const late = setTimeout(() => {
    if (req.complete) return;
    if (res.headersSent) req.socket.destroy();
    else req.socket.end(TOO_SLOW, () => req.socket.destroy());
  }, limit);
  const done = () => clearTimeout(late);
  req.once('end', done).once('close', done);
}

function explain(error: NodeJS.ErrnoException, host: string, port: number, settings: string): Error {
  if (error.code === 'EADDRINUSE') {
    const airplay = process.platform === 'darwin' && port === 5000 ? ' (macOS keeps 5000 for AirPlay)' : '';
    return new AppError(
      'in_use',
      `Port ${port} is in use${airplay}; set ${settings}_PORT to another, such as ${port + 1}`,
    );
  }
  if (error.code === 'EACCES')
    return new AppError('bad_setting', `${settings}_PORT ${port} needs more rights; set one above 1023`);
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new AppError(
      'bad_setting',
      `${settings}_HOST ${host} is no address of this machine; set 127.0.0.1 or 0.0.0.0`,
    );
  return error;
}

/** @param app gets what it answers with beside the request */
export function listenerOf(app: {
  fetch(request: Request, env: { outgoing: ServerResponse }): Response | Promise<Response>;
}): RequestListener {
  const listener = getRequestListener((request, { outgoing }) =>
    app.fetch(request, { outgoing: outgoing as ServerResponse }),
  );
  return fewATurn((req, res) => void listener(req, res));
}
