// Where a façade hangs in the API: loaded at the first request for it, so that no start and no cold start pays for it.

import type { Handler } from 'hono';
import type { ApiApp, ApiEnv } from '../deps.ts';

export function lazily(load: () => Promise<ApiApp>): Handler<ApiEnv> {
  let app: Promise<ApiApp> | undefined;
  return async (c) => {
    app ??= load();
    const answer = await (await app).fetch(c.req.raw, { ...c.env, requestId: c.get('requestId') });
    // With what every answer of the API says, where the façade says nothing else.
    return c.newResponse(answer.body, answer);
  };
}
