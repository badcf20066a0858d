// Links to images in a folder: `<endpoint>/signed/<key>?expires=…`, and `/signed-upload/` for one file to be put. The signature
// covers the key, the end and what the link promises (the headers that it sets, or size and hash of the file), whatever the
// name by which this machine is called.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { escaped, type Presigner, type UploadedFile } from '../links.ts';

const PATH = '/signed/';
const UPLOAD_PATH = '/signed-upload/';

/** Whether the path of a request is that of a link by which a file is put, valid or not. */
export const isUploadLink = (url: string) => url.startsWith(UPLOAD_PATH);

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
  /** The same of a link by which a file is put. */
  readUpload(url: string): UploadedFile | { refused: string };
}

export function createLinks({ secret, now = Date.now }: LinkOptions): Links {
  // The secret is that of other purposes too.
  const signingKey = createHmac('sha256', secret).update('links to images').digest();

  function signatureOf({ key, filename, contentType }: Link, expires: number): string {
    const signed = JSON.stringify([key, expires, filename ?? null, contentType ?? null]);
    return createHmac('sha256', signingKey).update(signed).digest('base64url');
  }

  function uploadSignatureOf({ key, sizeBytes, sha256 }: UploadedFile, expires: number): string {
    const signed = JSON.stringify(['put', key, expires, sizeBytes, sha256]);
    return createHmac('sha256', signingKey).update(signed).digest('base64url');
  }

  const end = () => Math.floor(now() / 1000) + LINK_LIFETIME_SECONDS;

  /** Of a link whose signature is ours. */
  function isOver(expires: string): boolean {
    const left = Number(expires) - now() / 1000;
    // More is left only where the clock was set back.
    return left < 0 || left > 2 * LINK_LIFETIME_SECONDS;
  }

  return {
    link({ endpoint, key, filename, contentType }) {
      if (/[^\x20-\x7e]/.test(contentType ?? '')) throw new TypeError('A content type is ASCII text.');
      const expires = end();
      return Promise.resolve(
        addressOf(endpoint, PATH, key, {
          expires: String(expires),
          filename,
          type: contentType,
          signature: signatureOf({ key, filename, contentType }, expires),
        }),
      );
    },

    uploadLink({ endpoint, ...file }) {
      const expires = end();
      const url = addressOf(endpoint, UPLOAD_PATH, file.key, {
        expires: String(expires),
        size: String(file.sizeBytes),
        sha256: file.sha256,
        signature: uploadSignatureOf(file, expires),
      });
      return Promise.resolve({ url, headers: { 'Content-Type': 'application/octet-stream' } });
    },

    isLink: (url) => url.startsWith(PATH),

    read(url) {
      const { key, fields } = partsOf(url, PATH, ['expires', 'filename', 'type', 'signature']);
      const { expires = '', filename, type: contentType, signature = '' } = fields ?? {};
      const link = { key: key ?? '', filename, contentType };
      if (key === undefined || !isEnd(expires) || !isEqual(signature, signatureOf(link, Number(expires))))
        return CHANGED;
      return isOver(expires) ? OVER : link;
    },

    readUpload(url) {
      const { key, fields } = partsOf(url, UPLOAD_PATH, ['expires', 'size', 'sha256', 'signature']);
      const { expires = '', size = '', sha256 = '', signature = '' } = fields ?? {};
      const file = { key: key ?? '', sizeBytes: Number(size), sha256 };
      if (
        key === undefined ||
        !isEnd(expires) ||
        !isEqual(signature, uploadSignatureOf(file, Number(expires)))
      )
        return CHANGED;
      return isOver(expires) ? OVER : file;
    },
  };
}

const CHANGED = { refused: 'The link was changed on its way, or is of another workspace' };
const OVER = { refused: 'The link has expired' };

const isEnd = (expires: string) => /^[1-9]\d{0,11}$/.test(expires);

function addressOf(
  endpoint: string | undefined,
  at: string,
  key: string,
  query: Record<string, string | undefined>,
): string {
  if (endpoint === undefined) throw new TypeError('A link to this machine needs its address.');
  const { origin, pathname } = new URL(endpoint);
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escaped(value)}`],
  );
  const path = key.split('/').map(escaped).join('/');
  return `${origin}${pathname.replace(/\/+$/, '')}${at}${path}?${parts.join('&')}`;
}

/** Undefined where something else was added. */
function partsOf(
  url: string,
  at: string,
  known: readonly string[],
): { key: string | undefined; fields?: Record<string, string | undefined> } {
  const [path = '', query = '', ...more] = url.slice(at.length).split('?');
  const fields = new URLSearchParams(query);
  const isPlain = more.length === 0 && fields.size <= known.length;
  const isKnown = [...fields.keys()].every((name) => known.includes(name));
  return isPlain && isKnown ? { key: decoded(path), fields: Object.fromEntries(fields) } : { key: undefined };
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
