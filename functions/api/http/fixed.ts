// Answers that are the same for every caller: with an ETag for conditional requests, and compressed once, at the first
// request that accepts it.

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'hono';
import type { ApiEnv } from '../deps.ts';

export interface Fixed {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzipped(): Promise<Uint8Array<ArrayBuffer>>;
  etag: string;
}

const zip = promisify(gzip);

export function fixed(type: string, content: string | Uint8Array): Fixed {
  const bytes = new Uint8Array(typeof content === 'string' ? Buffer.from(content) : content);
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  const gzipped = once(async () => new Uint8Array(await zip(bytes)));
  return { type, bytes, gzipped, etag: `"${hash}"` };
}

/** @param headers beside type, size and ETag */
export async function answer(
  c: Context<ApiEnv>,
  { type, bytes, gzipped, etag }: Fixed,
  headers: Record<string, string>,
): Promise<Response> {
  const zipped = takesGzip(c.req.header('accept-encoding'));
  // Other bytes are another representation.
  const tag = zipped ? etag.replace(/"$/, '-gz"') : etag;
  c.header('ETag', tag);
  c.header('Vary', 'Accept-Encoding', { append: true });
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  if (isAtHand(c.req.header('if-none-match'), tag)) return c.body(null, 304);
  c.header('Content-Type', type);
  if (zipped) c.header('Content-Encoding', 'gzip');
  const body = zipped ? await gzipped() : bytes;
  c.header('Content-Length', String(body.length));
  return c.req.method === 'HEAD' ? c.body(null) : c.body(body);
}

function takesGzip(accepted = ''): boolean {
  return accepted.split(',').some((one) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$)|$)/i.test(one));
}

function isAtHand(ifNoneMatch: string | undefined, etag: string): boolean {
  return (ifNoneMatch ?? '').split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')));
}

/** Once, for all who ask; what failed is tried again by the next. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** Once for what it is made of, and anew when that is another. */
export function onceFor<From, T>(from: () => From, make: (from: From) => Promise<T>): () => Promise<T> {
  let of: From;
  let made: (() => Promise<T>) | undefined;
  return () => {
    const now = from();
    if (!made || now !== of) made = once(() => make(now));
    of = now;
    return made();
  };
}
