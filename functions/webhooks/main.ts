// Webhooks as a process of its own.

import { randomBytes, randomUUID } from 'node:crypto';
import { webhooksSettings } from '../config/webhooks.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { explainAndExit, onStopSignal, reportReady } from '../runtime/exit.ts';
import { resolveAsMachine, resolveByDns } from '../outbound/address.ts';
import { createDeliverer } from './deliver.ts';
import { ownAddresses } from '../outbound/own-addresses.ts';
import { createSend } from './send.ts';
import { startDelivering } from './ticker.ts';

try {
  const settings = webhooksSettings(process.env);
  const log = createLog('webhooks', logLevelOf(settings));
  const connected = connect(storageOf(settings), { log });
  const allowPrivate = settings.WEBHOOK_ALLOW_PRIVATE;
  const send = createSend({
    resolve: allowPrivate ? resolveAsMachine : resolveByDns(),
    allowPrivate,
    // Where private addresses are allowed, this machine's are too.
    own: allowPrivate ? new Set() : ownAddresses(settings.OWN_HOSTS),
  });
  const { now } = connected;
  const ledger = connected.ledgers.of(`webhooks.${randomUUID()}`);
  const deliver = createDeliverer({ ...connected, send, log, ledger, random: randomBytes });
  const delivering = startDelivering(deliver, { log, now });
  onStopSignal(() => delivering.stop());
  reportReady({});
} catch (error) {
  explainAndExit(error);
}
