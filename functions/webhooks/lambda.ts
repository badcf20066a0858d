// Webhooks as a Lambda outside the hosts' network, called every minute. It reads no stream: a DynamoDB stream should have
// two readers at most, and those are the forwarder and the controller.

import type { Context } from 'aws-lambda';
import { randomBytes, randomUUID } from 'node:crypto';
import { webhooksLambdaSettings } from '../config/webhooks.ts';
import { logLevelOf } from '../config/log.ts';
import { AppError } from '../core/errors.ts';
import { createLateS3Images } from '../images/s3/late.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { describeEvent } from '../runtime/stream.ts';
import { createStoreClient, engineOf } from '../store/dynamodb/client.ts';
import { openTables } from '../store/open.ts';
import { resolveByDns } from '../outbound/address.ts';
import { createDeliverer } from './deliver.ts';
import { deliverWhileBusy } from './rounds.ts';
import { ownAddresses } from '../outbound/own-addresses.ts';
import { createSend } from './send.ts';

const settings = webhooksLambdaSettings(process.env);
const log = createLog('webhooks', logLevelOf(settings, 'info'));
const store = createStoreClient(
  {
    endpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
    region: settings.AWS_REGION,
  },
  Date.now,
);
const tables = openTables(engineOf(store, settings.TABLE_PREFIX));
const deliver = createDeliverer({
  ...tables,
  ledger: tables.ledgers.of(`webhooks.${randomUUID()}`),
  // Few messages have files in them: the client is loaded with the first.
  images: createLateS3Images(settings.IMAGES_BUCKET, {
    endpoint: settings.AWS_ENDPOINT_URL_S3,
    region: settings.AWS_REGION,
    credentials: store.raw.config.credentials,
  }),
  send: createSend({
    resolve: resolveByDns(),
    allowPrivate: false,
    own: ownAddresses(settings.OWN_HOSTS),
  }),
  log,
  metrics: createMetrics('webhooks', settings.METRICS_NAMESPACE),
  now: () => store.clock.now(),
  random: randomBytes,
});

/** @throws AppError bad_event for an event other than the schedule's; what a round threw */
export async function handler(event: unknown, context: Context): Promise<void> {
  if ((event as { 'detail-type'?: unknown } | null)?.['detail-type'] !== 'Scheduled Event')
    throw new AppError(
      'bad_event',
      `This handler takes events of a schedule, not ${describeEvent(event)}; see what invokes it`,
    );
  await deliverWhileBusy(deliver, () => context.getRemainingTimeInMillis());
}
