// One client's socket: what is said on it within bounds, and whether the client is still there. Knows no jobs.

import type { WebSocket } from 'ws';
import { previewFrame } from '../../comfyui/preview-frames.ts';
import { stringifyJson } from '../../core/json.ts';
import type { Preview } from '../../core/live.ts';
import type { Message } from './history-entry.ts';

export interface ClientSocket {
  clientId: string;
  say(message: Message): void;
  /** One that the client is too slow for is left out. */
  show(preview: Preview, promptId: string): void;
  /** Calls `heard` when the client has received everything that was said until now. */
  confirm(heard: () => void): void;
  close(code: number, reason: string): void;
}

/** Said and not yet sent: a client that takes nothing for so long is cut off, and hears at its return where things stand. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** No preview joins so much. */
const MAX_BEFORE_PREVIEW_BYTES = 256 * 1024;
/** A farewell that is not answered within this, ms, was in vain. */
const FAREWELL = 2000;
/** Rounds without an answer. */
const MAX_SILENT = 2;

/**
 * @param features what ComfyUI's server would answer to a client that names its own, which only its first message may
 * @param mayStay asked at each ping; false: its key is no longer valid
 * @param left called once
 */
export function createClientSocket(
  socket: WebSocket,
  clientId: string,
  pingEvery: number,
  {
    features,
    mayStay,
    left,
  }: { features: Record<string, unknown>; mayStay(): Promise<boolean>; left(): void },
): ClientSocket {
  let readsMetadata = false;
  let pings = 0;
  let answered = 0;
  /** Number of a ping → what its answer confirms. */
  const waiting = new Map<number, () => void>();

  const ping = () => socket.ping(String((pings += 1)));

  function say([type, data]: Message): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) return socket.terminate();
    socket.send(stringifyJson({ type, data }));
  }

  function close(code: number, reason: string): void {
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), FAREWELL).unref();
  }

  let silent = 0;
  const pinging = setInterval(() => {
    if (silent >= MAX_SILENT) return socket.terminate();
    silent += 1;
    ping();
    void mayStay().then((may) => may || close(1008, 'This API key is not valid any more'));
  }, pingEvery);

  socket.on('pong', (data) => {
    const number = Number(data.toString());
    if (!(number > answered && number <= pings)) return;
    // One connection keeps the order: with this ping everything before it has come.
    for (let one = answered + 1; one <= number; one += 1) {
      waiting.get(one)?.();
      waiting.delete(one);
    }
    answered = number;
    silent = 0;
  });
  socket.once('message', (data, isBinary) => {
    const given = isBinary ? undefined : featuresIn((data as Buffer).toString('utf8'));
    if (!given) return;
    readsMetadata = given['supports_preview_metadata'] === true;
    say(['feature_flags', features]);
  });
  // A close follows each error.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clearInterval(pinging);
    left();
  });

  return {
    clientId,
    say,
    close,
    show(preview, promptId) {
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MAX_BEFORE_PREVIEW_BYTES) return;
      socket.send(previewFrame(preview, promptId, readsMetadata));
    },
    confirm(heard) {
      if (socket.readyState !== socket.OPEN) return;
      ping();
      waiting.set(pings, heard);
    },
  };
}

/** Undefined: it is no greeting. */
function featuresIn(text: string): Record<string, unknown> | undefined {
  try {
    const said = JSON.parse(text) as { type?: unknown; data?: Record<string, unknown> | null } | null;
    return said?.type === 'feature_flags' ? (said.data ?? {}) : undefined;
  } catch {
    return undefined;
  }
}
