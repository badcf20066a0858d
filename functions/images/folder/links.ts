// Links to images in a folder: `<endpoint>/signed/<key>?expires=…`. The signature covers the key, the end and the headers
// that the link sets, whatever the method and the name by which this machine is called.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { escaped, type Presigner } from '../links.ts';

const PATH = '/signed/';

export interface LinkOptions {
  /** Of this workspace: a link outlives a restart. */
  secret: string;
  /** Ms of the wall clock. */
  now?: () => number;
}

export interface Link {
  key: string;
  filename: string | undefined;
  contentType: string | undefined;
}

export interface Links extends Presigner {
  /** Whether the path of a request is that of a link, valid or not. */
  isLink(url: string): boolean;
  /** @param url path and query of a request. `refused`: what is wrong with the link, for people */
  read(url: string): Link | { refused: string };
}

export function createLinks({ secret, now = Date.now }: LinkOptions): Links {
  // The secret is that of other purposes too.
  const signingKey = createHmac('sha256', secret).update('links to images').digest();

  function signatureOf({ key, filename, contentType }: Link, expires: number): string {
    const signed = JSON.stringify([key, expires, filename ?? null, contentType ?? null]);
    return createHmac('sha256', signingKey).update(signed).digest('base64url');
  }

  return {
    link({ endpoint, key, filename, contentType }) {
      if (endpoint === undefined) throw new TypeError('A link to this machine needs its address.');
      if (/[^\x20-\x7e]/.test(contentType ?? '')) throw new TypeError('A content type is ASCII text.');
      const { origin, pathname } = new URL(endpoint);
      const expires = Math.floor(now() / 1000) + LINK_LIFETIME_SECONDS;
      const query = {
        expires: String(expires),
        filename,
        type: contentType,
        signature: signatureOf({ key, filename, contentType }, expires),
      };
      const parts = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${escaped(value)}`],
      );
      const path = key.split('/').map(escaped).join('/');
      return Promise.resolve(`${origin}${pathname.replace(/\/+$/, '')}${PATH}${path}?${parts.join('&')}`);
    },

    isLink: (url) => url.startsWith(PATH),

    read(url) {
      const [path = '', query = '', ...more] = url.slice(PATH.length).split('?');
      const fields = new URLSearchParams(query);
      const {
        expires = '',
        filename,
        type: contentType,
        signature = '',
        ...others
      } = Object.fromEntries(fields);
      const key = decoded(path);
      const isPlain = more.length === 0 && Object.keys(others).length === 0 && fields.size <= 4;
      const link = { key: key ?? '', filename, contentType };
      if (
        key === undefined ||
        !isPlain ||
        !/^[1-9]\d{0,11}$/.test(expires) ||
        !isEqual(signature, signatureOf(link, Number(expires)))
      )
        return { refused: 'The link was changed on its way, or is of another workspace' };
      const left = Number(expires) - now() / 1000;
      // So much is left only where the clock was set back.
      if (left < 0 || left > 2 * LINK_LIFETIME_SECONDS) return { refused: 'The link has expired' };
      return link;
    },
  };
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
