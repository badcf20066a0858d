// Tells a forwarder that there is something to look at: best effort, one at a time. What is lost is found by the
// hosts' own looks within a second.

import { OFFER_TIMEOUT } from '../core/limits.ts';
import type { Log } from '../log.ts';

/** @param url the forwarder's; without one nobody is told */
export function nudger(url: string | undefined, log: Log): () => void {
  if (url === undefined) return () => undefined;
  let underway = false;
  let again = false;
  async function nudge(): Promise<void> {
    underway = true;
    do {
      again = false;
      try {
        const response = await fetch(`${url}/nudge`, {
          method: 'POST',
          signal: AbortSignal.timeout(OFFER_TIMEOUT),
        });
        await response.body?.cancel();
      } catch (error) {
        log.debug('forwarder not nudged', { error: String(error) });
      }
    } while (again);
    underway = false;
  }
  return () => {
    if (underway) again = true;
    else void nudge();
  };
}
