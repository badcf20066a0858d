// The sockets of ComfyUI's wire in this process: who may open one, how many, and that all close when the process stops.

import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { SOCKETS, SOCKETS_PER_OWNER } from '../../core/limits.ts';
import type { Job } from '../../core/job.ts';
import { TIMINGS } from '../../core/timings.ts';
import { askAgain } from '../http/access.ts';
import type { Mounted } from '../http/route.ts';
import { type Audience, createAudience } from './audience.ts';
import { type ClientSocket, createClientSocket } from './client-socket.ts';
import type { WireDeps } from './deps.ts';
import { FEATURES } from './features.ts';
import { createRecent } from './recent.ts';

export interface Sockets {
  /** Asks who is there, and lets them in by `upgrade` of the request's environment. */
  routes: Mounted[];
  /** @param request the one that became the socket: its key is checked again */
  open(socket: WebSocket, caller: Caller, request: Request): void;
  /** This process has accepted a prompt. */
  sent(job: Job): void;
}

const ENDS_HEARD = 10_000;
const MAX_CLIENT_ID = 200;

export function createSockets(deps: WireDeps): Sockets {
  const { timings = TIMINGS, stopping } = deps;
  const audiences = new Map<string, Audience>();
  /** Open sockets, and whose they are. */
  const open = new Map<ClientSocket, string>();
  const heard = createRecent(ENDS_HEARD);
  const stillIn = askAgain(deps);

  stopping?.addEventListener('abort', () => {
    for (const socket of open.keys()) socket.close(1001, 'The server stops: connect again');
  });

  function audienceOf(owner: string): Audience {
    const known = audiences.get(owner);
    if (known) return known;
    const audience = createAudience(deps, owner, heard, () => audiences.delete(owner));
    audiences.set(owner, audience);
    return audience;
  }

  function refuseTooMany({ owner }: Caller): void {
    const own = [...open.values()].filter((one) => one === owner).length;
    if (own < SOCKETS_PER_OWNER && open.size < SOCKETS) return;
    throw new AppError(
      'too_many_requests',
      'Too many sockets are open: close one, or poll GET /history/<id>',
    );
  }

  return {
    routes: [
      {
        route: 'GET /ws',
        scope: 'read',
        handle(c) {
          const upgrade = c.env?.upgrade;
          if (!upgrade) throw new AppError('bad_request', 'This is the address of a WebSocket: open one');
          if ((c.req.query('clientId') ?? '').length > MAX_CLIENT_ID)
            throw invalid('clientId', `must have at most ${MAX_CLIENT_ID} characters`);
          refuseTooMany(c.get('caller'));
          upgrade(c.get('caller'));
          return Promise.resolve(c.body(null, 204));
        },
      },
    ],

    open(socket, { owner }, request) {
      const named = new URL(request.url).searchParams.get('clientId') ?? '';
      const audience = audienceOf(owner);
      const client = createClientSocket(
        socket,
        named === '' ? randomUUID().replaceAll('-', '') : named,
        timings.followerHearsEvery,
        {
          features: FEATURES,
          mayStay: () => stillIn(request, owner),
          left() {
            open.delete(client);
            audience.leave(client);
          },
        },
      );
      open.set(client, owner);
      audience.join(client, named !== '');
      if (stopping?.aborted) client.close(1001, 'The server stops: connect again');
    },

    sent: (job) => audiences.get(job.state.owner)?.sent(job),
  };
}
