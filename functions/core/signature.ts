// The forwarder's signature on an offer: HMAC-SHA-256 over time and body with the host's own secret. A replay within the
// skew is a repeated offer, which changes nothing.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { SIGNATURE_SKEW } from './limits.ts';

export const SIGNATURE_HEADER = 'x-offer-signature';

/** `t=<ms>,v1=<hex>` */
export function sign(secret: string, body: string, now: number): string {
  return `t=${now},v1=${mac(secret, body, now)}`;
}

/** False also for a time further away than SIGNATURE_SKEW. @param now ms */
export function isSigned(secret: string, body: string, header: string | undefined, now: number): boolean {
  const match = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(header ?? '');
  if (!match) return false;
  const time = Number(match[1]);
  if (Math.abs(now - time) > SIGNATURE_SKEW) return false;
  return timingSafeEqual(Buffer.from(match[2]!, 'hex'), Buffer.from(mac(secret, body, time), 'hex'));
}

function mac(secret: string, body: string, time: number): string {
  return createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
}
