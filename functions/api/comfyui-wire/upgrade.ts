// A request for a socket: it goes through the wire's app as every other, with its keys, limits and log line, and is answered by
// the app or becomes a socket.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Caller } from '../../core/access.ts';
import type { Log } from '../../log.ts';
import type { ApiApp } from '../deps.ts';
import type { Wire } from './deps.ts';
import type { Sockets } from './sockets.ts';

/** Clients say which features they have, and nothing else. */
const MAX_SAID_BYTES = 64 * 1024;

export function createUpgrade(app: ApiApp, sockets: Sockets, log: Log): Wire['upgrade'] {
  const server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: MAX_SAID_BYTES });

  async function upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const request = requestOf(incoming);
    let caller: Caller | undefined;
    const answer = await app.fetch(request, {
      upgrade(given: Caller) {
        caller = given;
      },
    });
    const admitted = caller;
    if (!admitted) return refuse(socket, answer);
    server.handleUpgrade(incoming, socket, head, (opened) => sockets.open(opened, admitted, request));
  }

  return (incoming, socket, head) => {
    const ended = () => socket.destroy();
    socket.on('error', ended);
    upgrade(incoming, socket, head).then(
      () => socket.off('error', ended),
      (error: unknown) => {
        log.debug('socket.refused', { error: String(error) });
        socket.destroy();
      },
    );
  };
}

/** A key in the address becomes a header: it is looked at again for as long as the socket is open. */
function requestOf({ method, url = '/', headers }: IncomingMessage): Request {
  const address = new URL(url, `http://${headers.host ?? 'localhost'}`);
  const given = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const one of [value ?? []].flat()) given.append(name, one);
  const token = address.searchParams.get('token');
  if (token !== null && !given.has('authorization') && !given.has('x-api-key')) given.set('x-api-key', token);
  return new Request(address, { method: method ?? 'GET', headers: given });
}

async function refuse(socket: Duplex, answer: Response): Promise<void> {
  const body = Buffer.from(await answer.arrayBuffer());
  const headers = new Headers(answer.headers);
  headers.set('Connection', 'close');
  headers.set('Content-Length', String(body.length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${answer.status} ${answer.statusText}\r\n${lines}\r\n`), body]),
  );
}
