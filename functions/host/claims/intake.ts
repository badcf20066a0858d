// The host's only endpoint: signed offers of the forwarder. Answers at once; a doubled, late or replayed offer changes
// nothing, since the claim decides.

import { Hono } from 'hono';
import * as z from 'zod';
import { isSigned, SIGNATURE_HEADER } from '../../core/signature.ts';
import { isJobId } from '../../core/names.ts';
import type { Offered } from './claim-loop.ts';

const MAX_OFFER_BYTES = 1024;
const offer = z.object({ jobId: z.string().refine(isJobId) });

export interface TakesOffers {
  intakeSecret: string;
  /** Returns at once; the claim is tried afterwards. */
  offer(jobId: string): Offered;
}

/** `host` is called at each offer: the server may listen before the host is ready. */
export function createIntake(host: () => TakesOffers | undefined, now: () => number): Hono {
  const app = new Hono();
  app.post('/jobs', async (c) => {
    const running = host();
    if (!running) return c.json({ error: 'starting' }, 429);
    if (Number(c.req.header('content-length') ?? Infinity) > MAX_OFFER_BYTES)
      return c.json({ error: 'too large' }, 413);
    const body = await c.req.text();
    if (!isSigned(running.intakeSecret, body, c.req.header(SIGNATURE_HEADER), now()))
      return c.json({ error: 'not signed' }, 401);
    const parsed = offer.safeParse(parseJson(body));
    if (!parsed.success) return c.json({ error: 'no offer' }, 400);
    const offered = running.offer(parsed.data.jobId);
    if (offered === 'will-try') return c.json({ status: 'will try' }, 202);
    if (offered === 'no-slot') return c.json({ error: 'no slot' }, 429);
    // The forwarder treats both alike: it asks no other host.
    return c.json({ error: offered === 'has-it' ? 'not waiting any more' : 'not to be tried yet' }, 409);
  });
  return app;
}

/** Below the process's own address: a host that is alone has no path of its own. */
export function pathOfIntake(index: number, of: number): string {
  return of === 1 ? '' : `/${index}`;
}

/** The intakes of the hosts of one process. @param host as for one */
export function createIntakes(
  count: number,
  host: (index: number) => TakesOffers | undefined,
  now: () => number,
): Hono {
  const app = new Hono();
  for (let index = 0; index < count; index += 1)
    app.route(
      pathOfIntake(index, count) || '/',
      createIntake(() => host(index), now),
    );
  return app;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
