// Notifies a forwarder that a job waits: best effort, one request at a time. Hosts find what is lost by their own polls,
// within a second.

import { TIMINGS, type Timings } from '../core/timings.ts';
import type { Log } from '../log.ts';

/** @param url the forwarder's; absent: nothing is sent */
export function nudger(
  url: string | undefined,
  log: Log,
  { offerTimeout }: Timings = TIMINGS,
): (jobId?: string) => void {
  if (url === undefined) return () => undefined;
  let underway = false;
  let again = false;

  async function report(jobId: string | undefined): Promise<void> {
    const query = jobId === undefined ? '' : `?job=${jobId}`;
    try {
      const signal = AbortSignal.timeout(offerTimeout);
      const response = await fetch(`${url}/nudge${query}`, { method: 'POST', signal });
      await response.body?.cancel();
    } catch (error) {
      log.debug('nudge.failed', { error: String(error) });
    }
  }

  async function run(jobId: string | undefined): Promise<void> {
    underway = true;
    await report(jobId);
    while (again) {
      again = false;
      // Of several, none is named: the forwarder polls.
      await report(undefined);
    }
    underway = false;
  }

  return (jobId) => {
    if (underway) again = true;
    else void run(jobId);
  };
}
