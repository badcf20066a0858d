// Whether the API is there. While it is not, it is tried again: soon at first, then each ten seconds, and at once when the
// browser is online again or the page is looked at.

import { signal } from '@preact/signals';

const SOONEST = 1000;
const LATEST = 10_000;

export const connection = signal<'up' | 'lost'>('up');

let waiting: Promise<void> | undefined;

/** Where the API lives: beside the page. */
export const addressOf = (path: string): string => new URL(path.replace(/^\//, ''), document.baseURI).href;

/** Resolves when the API answers again. */
export function whenBack(): Promise<void> {
  waiting ??= tryUntilBack().finally(() => {
    waiting = undefined;
  });
  return waiting;
}

async function tryUntilBack(): Promise<void> {
  connection.value = 'lost';
  for (let delay = SOONEST; ; delay = Math.min(LATEST, delay * 2)) {
    await nextTry(delay);
    if (await answers()) break;
  }
  connection.value = 'up';
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
      resolve();
    };
    const whenSeen = () => document.visibilityState === 'visible' && go();
    const timer = setTimeout(go, delay);
    addEventListener('online', go);
    document.addEventListener('visibilitychange', whenSeen);
  });
}
