// Server-sent events as text and as the body of an answer. Source: "Server-sent events" in the HTML standard.

import { stringifyJson } from '../../core/json.ts';
import { FOLLOWER_RETURNS_AFTER } from '../../core/limits.ts';

export const EVENT_STREAM = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Without it nginx buffers the answer.
  'X-Accel-Buffering': 'no',
};

/** Keeps proxies and clients from ending an idle stream. */
export const STILL_HERE = ': still here\n\n';
/** Last of all: an EventSource asks again so many ms later. */
export const COME_AGAIN = `retry: ${FOLLOWER_RETURNS_AFTER}\n\n`;

/** JSON has no line breaks: one line of data. @param id undefined: a client that returns names the event before */
export function eventText(event: string, id: string | undefined, data: unknown): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${stringifyJson(data)}\n\n`;
}

/**
 * Each text is asked for when the one before it was taken: for a reader that lags behind nothing piles up.
 * @param end called when the texts have ended or the client is gone
 */
export function bodyOf(texts: AsyncIterator<string, void>, end: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await texts.next();
        if (!next.done) return controller.enqueue(encoder.encode(next.value));
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    cancel: end,
  });
}
