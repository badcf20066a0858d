// The kinds of values of settings, with the words of their refusals.

import * as z from 'zod/mini';

export const port = z.coerce.number().check(z.int(), z.minimum(0), z.maximum(65_535));
export const PORT = 'must be a port from 0 to 65535';

export const flag = z.pipe(
  z.enum(['true', 'false', '1', '0']),
  z.transform((text) => text === 'true' || text === '1'),
);
export const FLAG = 'must be true or false';

export const text = z.string();
/** Required and not empty: an empty variable counts as absent. */
export const required = z.string().check(z.minLength(1));

/** Without a user and a password, which requests refuse with an error that repeats them. */
export const address = z.url({ protocol: /^https?$/ }).check(
  z.refine((url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''), {
    error: 'must have no user and no password in it',
  }),
);
export const origin = z.pipe(
  address,
  z.transform((url) => new URL(url).origin),
);
/** @param like an example address */
export const addressLike = (like: string) => `must be an address such as ${like}`;

export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().check(z.int(), z.minimum(least), z.maximum(most));

/** Long enough to resist guessing. */
export const secret = z.string().check(z.minLength(32));
export const SECRET = 'must be a secret of at least 32 characters';
