// Whether the API is there. While it is not, it is tried again: soon at first, then each ten seconds, and at once when the
// browser is online again or the page is looked at.

import { signal } from '@preact/signals';
import { pause, unlessAborted } from './pause.ts';

const SOONEST = 1000;
const LATEST = 10_000;

export const connection = signal<'up' | 'lost'>('up');

let waiting: Promise<void> | undefined;

/** Where the API lives: beside the page. */
export const addressOf = (path: string): string => new URL(path.replace(/^\//, ''), document.baseURI).href;

/** An answer of the API came. */
export function heard(): void {
  connection.value = 'up';
}

/** No answer came, or none of the API. Resolves when it answers again. */
export function lose(): Promise<void> {
  waiting ??= tryUntilBack().finally(() => {
    waiting = undefined;
  });
  return waiting;
}

/**
 * Resolves when a call may be sent again.
 * @param times it was lost before: where all but its own answer comes through, it waits longer each time
 * @throws DOMException AbortError
 */
export async function whenBack(signal: AbortSignal, times = 0): Promise<void> {
  await unlessAborted(lose(), signal);
  if (times > 0) await pause(Math.min(LATEST, SOONEST * 2 ** (times - 1)), signal);
}

async function tryUntilBack(): Promise<void> {
  connection.value = 'lost';
  for (let delay = SOONEST; ; delay = Math.min(LATEST, delay * 2)) {
    await nextTry(delay);
    if (await answers()) break;
  }
  // A call that waited says more when it has its answer; there may be none.
  setTimeout(() => waiting ?? heard(), 2 * SOONEST);
}

async function answers(): Promise<boolean> {
  try {
    const { status } = await fetch(addressOf(''), { method: 'HEAD', cache: 'no-store' });
    return status < 500;
  } catch {
    return false;
  }
}

function nextTry(delay: number): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener('online', go);
      document.removeEventListener('visibilitychange', whenSeen);
      stopListening();
      resolve();
    };
    const whenSeen = () => document.visibilityState === 'visible' && go();
    const timer = setTimeout(go, delay);
    addEventListener('online', go);
    document.addEventListener('visibilitychange', whenSeen);
    // Another call has its answer.
    const stopListening = connection.subscribe((state) => state === 'up' && go());
  });
}
