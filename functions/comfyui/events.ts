// ComfyUI's WebSocket: events of running prompts. They only save time: the socket may drop, stay silent or be wrong, and no
// result may depend on it. Reconnects by itself until it is closed.

import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { ComfyUIAddress } from '../core/comfyui-address.ts';
import type { ProgressEvent } from '../core/progress.ts';
import { TIMINGS, type Timings } from '../core/timings.ts';

export type ComfyUIEvent =
  | (ProgressEvent & { data: { prompt_id: string } })
  | { type: 'execution_start'; data: { prompt_id: string } }
  | { type: 'execution_success'; data: { prompt_id: string } }
  | { type: 'execution_error'; data: { prompt_id: string } }
  | { type: 'execution_interrupted'; data: { prompt_id: string } };

const KNOWN = new Set<ComfyUIEvent['type']>([
  'execution_start',
  'execution_cached',
  'executing',
  'progress',
  'progress_state',
  'execution_success',
  'execution_error',
  'execution_interrupted',
]);

export interface EventSocket {
  /** The client id for prompts that are posted now. */
  clientId(): string;
  close(): void;
}

export interface EventListener {
  event(event: ComfyUIEvent): void;
  /** A binary message, as previews are. */
  frame?(bytes: Buffer): void;
  /** A socket that was open has closed. */
  disconnected(): void;
}

const FIRST_DELAY = 250;
const GREETING = JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } });

/**
 * Each connection has its own client id: if two shared one and the older closed late, ComfyUI would drop the newer, which
 * would stay open and receive nothing. Prompts posted under an earlier id get no more events and are followed by polling.
 * @param comfyui its http(s) address and the headers of its proxy
 * @param timings after two unanswered pings it reconnects
 */
export function connectEvents(
  comfyui: ComfyUIAddress,
  listener: EventListener,
  timings: Pick<Timings, 'comfyuiPingEvery' | 'comfyuiReconnectsWithin'> = TIMINGS,
): EventSocket {
  let socket: WebSocket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delay = FIRST_DELAY;
  let closed = false;
  let clientId = randomUUID();

  const connect = () => {
    let opens = false;
    clientId = randomUUID();
    const opened = new WebSocket(
      `${comfyui.url.replace(/^http/, 'ws')}/ws?clientId=${encodeURIComponent(clientId)}`,
      {
        headers: comfyui.headers,
        handshakeTimeout: 5000,
        // ComfyUI would compress each message, and a thread inflate it here: of a short job that is a third of all work.
        perMessageDeflate: false,
        // Frames contain preview images; larger ones are not needed.
        maxPayload: 64 * 1024 * 1024,
      },
    );
    socket = opened;
    let unanswered = 0;
    const pinging = setInterval(() => {
      if (opened.readyState !== WebSocket.OPEN) return;
      if (unanswered >= 2) return opened.terminate();
      unanswered += 1;
      opened.ping();
    }, timings.comfyuiPingEvery);
    opened.on('pong', () => {
      unanswered = 0;
    });
    opened.on('open', () => {
      opens = true;
      delay = FIRST_DELAY;
      // Previews then say whose they are.
      if (listener.frame) opened.send(GREETING);
    });
    opened.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return listener.frame?.(data);
      const event = parse(data.toString('utf8'));
      if (event) listener.event(event);
    });
    // A close follows each error, and is handled.
    opened.on('error', () => undefined);
    opened.on('close', () => {
      clearInterval(pinging);
      if (closed) return;
      if (opens) listener.disconnected();
      timer = setTimeout(connect, delay);
      delay = Math.min(delay * 2, timings.comfyuiReconnectsWithin);
    });
  };
  connect();

  return {
    clientId: () => clientId,
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.terminate();
    },
  };
}

function parse(text: string): ComfyUIEvent | undefined {
  let message: { type?: string; data?: { prompt_id?: unknown } };
  try {
    message = JSON.parse(text) as typeof message;
  } catch {
    return undefined;
  }
  if (!KNOWN.has(message?.type as ComfyUIEvent['type'])) return undefined;
  return typeof message.data?.prompt_id === 'string' ? (message as ComfyUIEvent) : undefined;
}
