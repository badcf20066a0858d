// Presigned links to images, valid for a quarter of an hour without credentials: signed when read, never stored.
// It makes no request and has no state.

import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, HttpRequest, Provider } from '@smithy/types';
import { createHash, createHmac } from 'node:crypto';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { escaped, type Presigner, safetyOf } from '../links.ts';

export interface PresignerOptions {
  credentials: AwsCredentialIdentity | Provider<AwsCredentialIdentity>;
  region: string;
  bucket: string;
  expiresSeconds?: number;
  now?: () => number;
}

/** @param options `expiresSeconds`: LINK_LIFETIME_SECONDS unless given; `now`: ms of the wall clock */
export function createPresigner(options: PresignerOptions): Presigner {
  const { credentials, region, bucket, expiresSeconds = LINK_LIFETIME_SECONDS, now = Date.now } = options;
  // As S3 wants it, unlike other services: the path is escaped once, and the content is not part of the signature.
  const signer = new SignatureV4({
    service: 's3',
    uriEscapePath: false,
    applyChecksum: false,
    credentials,
    region,
    sha256: Sha256,
  });

  return {
    async link({ endpoint, key, filename, contentType }) {
      const { origin, prefix, path } = placeOf(endpoint, region, bucket);
      const { 'Content-Disposition': disposition } =
        filename === undefined ? {} : safetyOf(contentType ?? '', filename);
      const signed = await signer.presign(
        {
          method: 'GET',
          protocol: origin.protocol,
          hostname: origin.hostname,
          // The port stands in the Host header only where it is not the scheme's own.
          headers: { host: origin.host, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
          path: path + key.split('/').map(escaped).join('/'),
          query: {
            // Only these headers can be set: a bucket is an origin of its own.
            ...(disposition !== undefined && { 'response-content-disposition': disposition }),
            ...(contentType !== undefined && { 'response-content-type': contentType }),
          },
        },
        { expiresIn: expiresSeconds, signingDate: new Date(now()) },
      );
      return addressOf(origin, prefix, signed);
    },

    async uploadLink({ endpoint, key, sizeBytes, sha256 }) {
      const { origin, prefix, path } = placeOf(endpoint, region, bucket);
      // S3 refuses a request that has not what is signed, a body of another hash, and, by If-None-Match, a second one.
      const headers = {
        'Content-Type': 'application/octet-stream',
        'If-None-Match': '*',
        [CHECKSUM]: Buffer.from(sha256, 'hex').toString('base64'),
      };
      const signed = await signer.presign(
        {
          method: 'PUT',
          protocol: origin.protocol,
          hostname: origin.hostname,
          headers: {
            ...headers,
            host: origin.host,
            'Content-Length': String(sizeBytes),
            'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
          },
          path: path + key.split('/').map(escaped).join('/'),
          query: {},
        },
        {
          expiresIn: expiresSeconds,
          signingDate: new Date(now()),
          // In the query S3 would not look at it.
          unhoistableHeaders: new Set([CHECKSUM]),
        },
      );
      return { url: addressOf(origin, prefix, signed), headers };
    },
  };
}

const CHECKSUM = 'x-amz-checksum-sha256';

function addressOf(origin: URL, prefix: string, { path, query = {} }: HttpRequest): string {
  const fields = Object.entries(query).map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`);
  return `${origin.origin}${prefix}${path}?${fields.join('&')}`;
}

/** Path style at a given endpoint; at AWS the bucket is part of the host, unless it has a dot, which breaks TLS. */
function placeOf(
  endpoint: string | undefined,
  region: string,
  bucket: string,
): { origin: URL; prefix: string; path: string } {
  if (endpoint !== undefined) {
    const origin = new URL(endpoint);
    // The signed path is the one that arrives behind the proxy.
    return { origin, prefix: origin.pathname.replace(/\/+$/, ''), path: `/${bucket}/` };
  }
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  return bucket.includes('.')
    ? { origin: new URL(`https://${host}`), prefix: '', path: `/${bucket}/` }
    : { origin: new URL(`https://${bucket}.${host}`), prefix: '', path: '/' };
}

/** The SDK's own class is only available from a whole client. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error('A digest is made once.');
  }
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}
