// How many streams the windows of one browser keep open together. A browser opens six connections to a server that speaks
// HTTP/1.1, for all of its windows and tabs: what streams do not take is left for calls and pictures.

import { isGivenUp } from './pause.ts';

/** A name is a slot: locks are shared by all windows of an origin, and a window that is closed or killed has none. */
const SLOTS = ['stream-1', 'stream-2', 'stream-3'];

/**
 * Resolves when `work` has ended, or was given up before it had a slot. Who waits longest is the next.
 * @param work begins when there is a slot, and keeps it until it ends
 */
export async function inSlot(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const { locks } = navigator as Partial<Navigator>;
  // Browsers have them only by https and on the machine itself. On a page that came by plain http each window counts for itself
  // (STREAMS in streamed.ts): two windows that are looked at leave two connections, three leave none until a stream ends.
  if (!locks) return work();
  const found = new AbortController();
  let isDenied = false;
  const waiting = AbortSignal.any([signal, found.signal]);
  await Promise.all(
    SLOTS.map((name) =>
      locks
        .request(name, { signal: waiting }, async () => {
          // Two may become free at once.
          if (waiting.aborted) return;
          found.abort();
          await work();
        })
        .catch((error: unknown) => {
          // Where pages may keep nothing there are no locks either.
          if (error instanceof DOMException && error.name === 'SecurityError') isDenied = true;
          else if (!isGivenUp(error)) throw error;
        }),
    ),
  );
  if (isDenied && !signal.aborted) await work();
}
