// Webhooks within the process of the local stack.

import { randomBytes, randomUUID } from 'node:crypto';
import type { LocalSettings } from '../config/local.ts';
import type { Log } from '../log.ts';
import type { Connected } from '../runtime/connect.ts';
import { resolveAsMachine, resolveByDns } from '../outbound/address.ts';
import { createDeliverer } from '../webhooks/deliver.ts';
import { ownAddresses } from '../outbound/own-addresses.ts';
import { createSend } from '../webhooks/send.ts';
import { type Delivering, startDelivering } from '../webhooks/ticker.ts';

export function startWebhooks(connected: Connected, settings: LocalSettings, log: Log): Delivering {
  const allowPrivate = settings.WEBHOOK_ALLOW_PRIVATE;
  const named = settings.PUBLIC_URL === undefined ? [] : [new URL(settings.PUBLIC_URL).hostname];
  const send = createSend({
    resolve: allowPrivate ? resolveAsMachine : resolveByDns(),
    allowPrivate,
    // If private addresses are allowed, this machine's own are allowed too.
    own: allowPrivate ? new Set() : ownAddresses(named),
  });
  const ledger = connected.ledgers.of(`webhooks.${randomUUID()}`);
  const deliver = createDeliverer({ ...connected, send, log, ledger, random: randomBytes });
  return startDelivering(deliver, { log, now: connected.now });
}
