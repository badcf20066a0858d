// The bucket and the hosts' intakes, with faults in front of them. The bucket's proxy also keeps which images were
// stored when, as the bucket itself confirmed.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { forward, give, listenProxy, type Proxy } from './proxy.ts';
import type { Troubles } from './troubles.ts';

export interface StoredPut {
  key: string;
  at: number;
  digest: string;
}

const SLOW_DOWN = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>chaos</Message></Error>';

/** @param port of the bucket, now */
export function bucketProxy(
  port: () => number,
  troubles: Troubles,
  stored: (put: StoredPut) => void,
): Promise<Proxy> {
  return listenProxy(async (exchange) => {
    const { req, res, body } = exchange;
    const on = (kind: Parameters<Troubles['on']>[0]) => troubles.on(kind, 'bucket');
    if (on('bucket-deaf')) return;
    if (on('bucket-throttled') && Math.random() < 0.7)
      return give(res, {
        status: 503,
        headers: { 'content-type': 'application/xml', 'content-length': String(SLOW_DOWN.length) },
        body: Buffer.from(SLOW_DOWN),
      });
    if (on('bucket-late')) await sleep(100 + Math.random() * 1200);
    const answer = await forward(port(), exchange);
    const [, key] = /^\/[^/]+\/(images\/[^?]*)/.exec(req.url ?? '') ?? [];
    if (key !== undefined && req.method === 'PUT' && answer.status === 200)
      stored({
        key: decodeURIComponent(key),
        at: Date.now(),
        digest: createHash('sha256').update(body).digest('hex'),
      });
    if (on('bucket-answer-lost') && req.method === 'PUT' && Math.random() < 0.5) return void res.destroy();
    give(res, answer);
  });
}

/** In front of one host's intake. */
export function intakeProxy(host: string, port: () => number, troubles: Troubles): Promise<Proxy> {
  return listenProxy(async (exchange) => {
    const { res } = exchange;
    if (troubles.on('offers-lost', host)) {
      res.destroy();
      return;
    }
    if (troubles.on('offers-late', host)) await sleep(200 + Math.random() * 2000);
    const answer = await forward(port(), exchange);
    if (troubles.on('offers-doubled', host)) await forward(port(), exchange);
    give(res, answer);
  });
}
