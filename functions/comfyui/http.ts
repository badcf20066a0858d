// One HTTP call to ComfyUI, by Node's own client: a job makes half a dozen of them, and `fetch` costs three times as much.

import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { urlToHttpOptions } from 'node:url';
import { ComfyUISilent } from './errors.ts';

/** Less than ComfyUI keeps an idle connection, ms: none is closed at the moment of its next use. */
const IDLE_CONNECTIONS = 4000;

export interface Call {
  method?: 'GET' | 'HEAD' | 'POST';
  headers?: Record<string, string>;
  body?: string | Uint8Array | LongBody;
}

/** Sent while it comes. Where it fails the connection is cut, so that the other side does not take a part for the whole. */
export interface LongBody {
  sizeBytes: number;
  pieces: AsyncIterable<Uint8Array>;
}

export interface Answer {
  status: number;
  /** 2xx. */
  ok: boolean;
  headers: IncomingHttpHeaders;
  /** Is read to its end, or destroyed. */
  body: IncomingMessage;
}

export type Http = ReturnType<typeof createHttp>;

/** @param url of ComfyUI, without a trailing slash; @param headers of each call */
export function createHttp(url: string, headers: Record<string, string>) {
  const address = new URL(url);
  const base = urlToHttpOptions(address);
  const isTls = address.protocol === 'https:';
  const pooled = { keepAlive: true, timeout: IDLE_CONNECTIONS };
  const agent = isTls ? new HttpsAgent(pooled) : new HttpAgent(pooled);
  const prefix = address.pathname.replace(/\/$/, '');

  /**
   * Redirects are answers like others.
   * @param what names the call in errors
   * @param limit ms until the answer has come whole; `headers`: until it begins. Each piece of a long body begins it anew
   * @throws ComfyUISilent, or what a long body throws; the answer's body fails with another error
   */
  return (
    what: string,
    path: string,
    { method = 'GET', headers: own, body: content }: Call,
    limit: number,
    until: 'headers' | 'end' = 'end',
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = (isTls ? requestTls : request)({
        ...base,
        agent,
        method,
        path: `${prefix}${path}`,
        headers: {
          ...own,
          ...headers,
          ...(content !== undefined && { 'content-length': lengthOf(content) }),
        },
      });
      let body: IncomingMessage | undefined;
      const late = setTimeout(() => {
        (body ?? sent).destroy(new DOMException(`no answer within ${limit} ms`, 'TimeoutError'));
      }, limit);
      const done = () => clearTimeout(late);
      let ours: Error | undefined;
      // It comes again for a connection that breaks during the answer, whose body fails then.
      sent.on('error', (cause) => {
        done();
        reject(ours ?? new ComfyUISilent(what, { cause }));
      });
      sent.once('response', (answer) => {
        body = answer;
        const { statusCode: status = 0, headers: said } = answer;
        if (until === 'headers') done();
        else answer.once('close', done);
        resolve({ status, ok: status >= 200 && status < 300, headers: said, body });
      });
      if (!isLong(content)) sent.end(content);
      else {
        const pieces = watched(
          content.pieces,
          () => late.refresh(),
          (error) => (ours = error),
        );
        pipeline(pieces, sent).catch((cause: unknown) => {
          // An answer may come before the end of what it answers.
          if (body) return;
          done();
          reject(ours ?? new ComfyUISilent(what, { cause }));
          sent.destroy();
        });
      }
    });
}

function isLong(content: Call['body']): content is LongBody {
  return typeof content === 'object' && !(content instanceof Uint8Array);
}

function lengthOf(content: string | Uint8Array | LongBody): number {
  return isLong(content) ? content.sizeBytes : Buffer.byteLength(content);
}

async function* watched(
  pieces: AsyncIterable<Uint8Array>,
  moved: () => void,
  failed: (error: Error) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of pieces) {
      moved();
      yield piece;
    }
  } catch (error) {
    failed(error as Error);
    throw error;
  }
}
