// What the API asks to wait for: its limits, and a moment in which it can not. A call that may be sent twice waits and goes on.

import { signal } from '@preact/signals';
import { pause } from './pause.ts';

/** Another try helps in a moment. The others of 429 and 503 are for a person to read: a day's images, a full disk. */
const MOMENTARY = new Set([
  'too_many_requests',
  'too_many_readers',
  'too_many_conversions',
  'too_many_unfinished',
  'unavailable',
]);
const SHORTEST = 1000;
const LONGEST = 60_000;
/** Of a 429 that says nothing: of what stands between. */
const UNSAID = 5000;
/** ms without a wait; a call that waits again is the same trouble, and is not said again. */
const LASTS = 3000;

/** Calls wait, or have just waited. */
export const limited = signal(false);

let waiting = 0;
let ending: ReturnType<typeof setTimeout> | undefined;

/** After how many ms another try may help; undefined: it is no matter of a moment. */
export function waitOf(
  { status, code, retryAfter }: { status: number; code: string; retryAfter?: number | undefined },
  times: number,
  random = Math.random(),
): number | undefined {
  const isMomentary = MOMENTARY.has(code) || (status === 429 && code === 'no_code');
  const said = Math.max(SHORTEST, retryAfter ?? UNSAID);
  if (!isMomentary || said > LONGEST) return undefined;
  // Not all at the same moment, and further apart each time.
  return said + random * Math.min(LONGEST - said, said * 2 ** times);
}

/** @throws DOMException AbortError */
export async function waitOut(ms: number, given: AbortSignal): Promise<void> {
  waiting += 1;
  clearTimeout(ending);
  limited.value = true;
  try {
    await pause(ms, given);
  } finally {
    waiting -= 1;
    if (waiting === 0) ending = setTimeout(() => (limited.value = false), LASTS);
  }
}
