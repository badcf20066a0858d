// Who is it, and may they? By API key where keys are asked for: looked up by its id, compared in constant time, and
// remembered for half a minute, so that a revoked key is out within a minute everywhere.

import { timingSafeEqual } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import {
  allows,
  type Caller,
  hashOfSecret,
  LOCAL,
  parseKey,
  type Scope,
  type ApiKey,
  isValid,
  sees,
} from '../../core/access.ts';
import { createCache } from '../../core/cache.ts';
import { AppError } from '../../core/errors.ts';
import type { Keys } from '../../store/keys.ts';
import { comparedWith } from './compare.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';

export interface AccessDeps {
  keys: Pick<Keys, 'read'>;
  /** The tables' clock, ms. */
  now(): number;
}

const REMEMBERED = 30_000;
/** Of no secret: an id that there is not takes the time of one that there is. */
const NO_KEY = hashOfSecret('');

/**
 * @param deploymentKeys are there from the first moment: their holder is the deployment's owner, and admin. Two while
 * one replaces the other
 */
export function askForKeys(
  { keys, now }: AccessDeps,
  ...deploymentKeys: string[]
): MiddlewareHandler<ApiEnv> {
  const isDeploymentKey = comparedWith(...deploymentKeys);
  // Ids that there are not too: guessing costs the table one read an id and half a minute.
  const known = createCache<ApiKey | undefined>({ now, freshFor: () => REMEMBERED });

  async function callerOf(given: string): Promise<Caller | undefined> {
    if (isDeploymentKey(given)) return LOCAL;
    const asked = parseKey(given);
    if (!asked) return undefined;
    const key = await known.get(asked.keyId, () => keys.read(asked.keyId));
    const same = timingSafeEqual(
      Buffer.from(hashOfSecret(asked.secret), 'hex'),
      Buffer.from(key?.hash ?? NO_KEY, 'hex'),
    );
    if (!key || !same || !isValid(key, now())) return undefined;
    return { owner: key.owner, scopes: key.scopes, keyId: key.keyId };
  }

  return async (c, next) => {
    const authorization = c.req.header('authorization') ?? '';
    const bearer = /^Bearer +(\S+)\s*$/i.exec(authorization)?.[1];
    // As RunPod's own examples send it.
    const bare = /^\S+$/.exec(authorization)?.[0];
    const given = bearer ?? c.req.header('x-api-key') ?? c.get('keyInAddress') ?? bare;
    const caller = given === undefined ? undefined : await callerOf(given);
    if (!caller) {
      c.header('WWW-Authenticate', `Bearer realm="comfyui"${given ? ', error="invalid_token"' : ''}`);
      throw new AppError(
        'unauthorized',
        given
          ? 'This API key is not valid'
          : 'Send the API key with the header Authorization: Bearer <key> or X-API-Key: <key>',
      );
    }
    c.set('caller', caller);
    await next();
  };
}

/** For a route: `needs('generate')`. */
export function needs(scope: Scope): MiddlewareHandler<ApiEnv> {
  return (c, next) => {
    demand(c.get('caller'), scope);
    return next();
  };
}

/** Where only the body says what is asked for. @throws AppError forbidden */
export function demand(caller: Caller, scope: Scope): void {
  if (allows(caller, scope)) return;
  throw new AppError('forbidden', `This API key may not do that: it lacks the scope ${scope}`, { scope });
}

/**
 * Checks the caller's access again, since the key may have been revoked. When the keys cannot be read nothing is
 * known to have changed.
 */
export function askAgain({
  admit,
}: Pick<ApiDeps, 'admit'>): (request: Request, owner: string) => Promise<boolean> {
  if (!admit) return () => Promise.resolve(true);
  const entry = new Hono<ApiEnv>().use(admit).get('*', (c) => c.json(c.get('caller')));
  entry.onError((error, c) => c.body(null, error instanceof AppError ? 401 : 503));
  return async (request, owner) => {
    const answer = await entry.fetch(request);
    if (!answer.ok) return answer.status === 503;
    const caller = (await answer.json()) as Caller;
    return allows(caller, 'read') && sees(caller, owner);
  };
}
