// One HTTP call to ComfyUI, by Node's own client: a job makes half a dozen of them, and `fetch` costs three times as much.

import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { ComfyUISilent } from './errors.ts';

/** Less than ComfyUI keeps an idle connection, ms: none is closed at the moment of its next use. */
const IDLE_CONNECTIONS = 4000;

export interface Call {
  method?: 'GET' | 'HEAD' | 'POST';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
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
   * @param limit ms until the answer has come whole; `headers`: until it begins
   * @throws ComfyUISilent; the body fails with another error
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
          ...(content !== undefined && { 'content-length': Buffer.byteLength(content) }),
        },
      });
      let body: IncomingMessage | undefined;
      const late = setTimeout(() => {
        (body ?? sent).destroy(new DOMException(`no answer within ${limit} ms`, 'TimeoutError'));
      }, limit);
      const done = () => clearTimeout(late);
      // It comes again for a connection that breaks during the answer, whose body fails then.
      sent.on('error', (cause) => {
        done();
        reject(new ComfyUISilent(what, { cause }));
      });
      sent.once('response', (answer) => {
        body = answer;
        const { statusCode: status = 0, headers: said } = answer;
        if (until === 'headers') done();
        else answer.once('close', done);
        resolve({ status, ok: status >= 200 && status < 300, headers: said, body });
      });
      sent.end(content);
    });
}
