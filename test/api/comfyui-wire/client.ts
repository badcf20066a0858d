// A client of ComfyUI's socket, over a real connection.

import { WebSocket } from 'ws';
import type { Json } from '../support.ts';

export interface Said {
  type: string;
  data: Json;
}

export interface Client {
  /** Everything that was said, in order. */
  said: Said[];
  previews: Buffer[];
  socket: WebSocket;
  /** Resolves with everything from `from` to the first message of which `wanted` holds. */
  until(wanted: (one: Said) => boolean, from?: number): Promise<Said[]>;
  /** Of the close. */
  ended: Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

export interface Opening {
  clientId?: string;
  headers?: Record<string, string>;
  query?: string;
  autoPong?: boolean;
  path?: string;
}

/** Rejects with the status of the answer where it is refused. */
export async function connect(
  url: string,
  { clientId, headers = {}, query = '', autoPong = true, path = '/ws' }: Opening = {},
): Promise<Client> {
  const id = clientId === undefined ? '' : `clientId=${encodeURIComponent(clientId)}`;
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}?${id}${query}`, { headers, autoPong });
  const said: Said[] = [];
  const previews: Buffer[] = [];
  let changed: () => void = () => undefined;
  let over = false;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) previews.push(data);
    else said.push(JSON.parse(data.toString()) as Said);
    changed();
  });
  const ended = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      over = true;
      changed();
      resolve({ code, reason: reason.toString() });
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_, answer) => {
      answer.resume();
      reject(new Error(`refused with ${answer.statusCode}`));
    });
  });
  socket.on('error', () => undefined);
  return {
    said,
    previews,
    socket,
    ended,
    async until(wanted, from = 0) {
      for (;;) {
        const index = said.findIndex((one, at) => at >= from && wanted(one));
        if (index >= 0) return said.slice(from, index + 1);
        if (over) throw new Error(`closed after ${JSON.stringify(said.slice(from))}`);
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
    async close() {
      socket.close();
      await ended;
    },
  };
}

/** ComfyUI's last word on a prompt. */
export const endOf =
  (promptId: string) =>
  ({ type, data }: Said): boolean =>
    type === 'executing' && data['node'] === null && data['prompt_id'] === promptId;
