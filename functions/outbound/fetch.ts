// One file from an address that a caller named, onto the disk of this machine. Each address on the way is judged, those of
// redirects too, and only judged ones are connected to. It ends at a size and a time, whatever the other side does.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { before } from '../core/before.ts';
import { isDiskFull, StorageFull } from '../core/disk-full.ts';
import { addressesOf, onlyTo, reasonOf, Refused, type Rules } from './address.ts';

/** It was not had. The message completes "the file …", for the caller, and reveals nothing of this network. */
export class NotFetched extends Error {
  override readonly name = 'NotFetched';
}

export interface Fetched {
  sizeBytes: number;
  /** Hex. */
  sha256: string;
  /** The first bytes. */
  head: Buffer;
  /** The last part of the path of the address that had it. */
  name: string;
}

export interface FetchLimits {
  maxBytes: number;
  headBytes: number;
  signal: AbortSignal;
}

export interface FetchOptions extends Rules {
  /** Certificates to trust beside Node's own. */
  ca?: string;
}

/** @throws NotFetched, StorageFull; the file at `path` may be there in part then */
export type Fetch = (address: string, path: string, limits: FetchLimits) => Promise<Fetched>;

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

export function createFetch({ ca, ...rules }: FetchOptions): Fetch {
  function parse(address: string, base?: URL): URL {
    const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
    const isOpen = url?.protocol === 'https:' || (rules.allowPrivate && url?.protocol === 'http:');
    if (!url || !isOpen) throw new NotFetched('must be at an https address');
    if (url.username !== '' || url.password !== '')
      throw new NotFetched('must be at an address without a user name and a password');
    return url;
  }

  async function answerOf(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const addresses = await before(signal, addressesOf(url, rules));
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        // A new connection: a pooled one may go to another address.
        agent: false,
        signal,
        lookup: onlyTo(addresses),
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'comfyui-rest-api' },
        ...(ca !== undefined && { ca }),
      });
      sent.once('response', resolve);
      sent.on('error', reject);
      sent.once('upgrade', (_, socket) => {
        socket.destroy();
        reject(new NotFetched('is not there: the server switches protocols'));
      });
      sent.end();
    });
    return answer;
  }

  /** Behind all redirects. */
  async function open(address: string, signal: AbortSignal): Promise<{ url: URL; answer: IncomingMessage }> {
    let url = parse(address);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await answerOf(url, signal);
      const { statusCode = 0, headers } = answer;
      if (statusCode === 200) return { url, answer };
      answer.destroy();
      if (!REDIRECTS.includes(statusCode) || headers.location === undefined)
        throw new NotFetched(`cannot be had: its server answered ${statusCode}`);
      if (redirects === MAX_REDIRECTS) throw new NotFetched(`is behind more than ${MAX_REDIRECTS} redirects`);
      url = parse(headers.location, url);
    }
  }

  return async (address, path, { maxBytes, headBytes, signal }) => {
    const tooLarge = () => new NotFetched(`has over ${maxBytes} bytes`);
    let answer: IncomingMessage | undefined;
    try {
      const opened = await open(address, signal);
      answer = opened.answer;
      const { 'content-length': length, 'content-encoding': encoding = 'identity' } = answer.headers;
      if (Number(length ?? 0) > maxBytes) throw tooLarge();
      if (encoding !== 'identity') throw new NotFetched('comes compressed, though that was not asked for');
      const hash = createHash('sha256');
      let sizeBytes = 0;
      let head = Buffer.alloc(0);
      const counted = async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          sizeBytes += piece.length;
          if (sizeBytes > maxBytes) throw tooLarge();
          if (head.length < headBytes)
            head = Buffer.concat([head, piece.subarray(0, headBytes - head.length)]);
          hash.update(piece);
          yield piece;
        }
      };
      await pipeline(answer, counted, createWriteStream(path), { signal });
      if (sizeBytes === 0) throw new NotFetched('is empty');
      const name = opened.url.pathname.split('/').at(-1) ?? '';
      return { sizeBytes, sha256: hash.digest('hex'), head, name };
    } catch (error) {
      answer?.destroy();
      if (error instanceof NotFetched) throw error;
      if (error instanceof Refused) throw new NotFetched(`cannot be had: ${error.message}`);
      if (isDiskFull(error)) throw new StorageFull({ cause: error });
      if (signal.aborted) throw new NotFetched('did not come in time');
      throw new NotFetched(`cannot be had: ${reasonOf(error)}`, { cause: error });
    }
  };
}
