// The forwarder as a Lambda on the jobs table's stream: one poll for each batch of jobs that began to wait.

import type { Context } from 'aws-lambda';
import { forwarderLambdaSettings } from '../config/forwarder.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { answerBatch, type BatchAnswer, type WaitingRecord } from '../runtime/stream.ts';
import { createStoreClient, engineOf } from '../store/dynamodb/client.ts';
import { openTables } from '../store/open.ts';
import { SCHEMA_VERSION } from '../store/tables.ts';
import { forward } from './forward.ts';

const settings = forwarderLambdaSettings(process.env);
const log = createLog('forwarder', logLevelOf(settings, 'info'));
const metrics = createMetrics('forwarder', settings.METRICS_NAMESPACE);
const store = createStoreClient(
  {
    endpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
    region: settings.AWS_REGION,
  },
  Date.now,
);
const { jobs, hosts } = openTables(engineOf(store, settings.TABLE_PREFIX));
const deps = { jobs, hosts, log, now: () => store.clock.now() };
metrics.put({ cold_starts: 1, init_time: Math.round(performance.now()) });

export function handler(event: unknown, context: Context): Promise<BatchAnswer> {
  return answerBatch(event, {
    log,
    version: SCHEMA_VERSION,
    timeLeft: context.getRemainingTimeInMillis(),
    skipped: (records_skipped) => metrics.put({ records_skipped }),
    poll,
  });
}

async function poll(records: WaitingRecord[]): Promise<void> {
  const { placed, left } = await forward(deps);
  // A requeued job was accepted long ago: its age is not the forwarding time.
  const fresh = records.filter(({ attempt }) => attempt === 0).map(({ createdAt }) => createdAt);
  metrics.put({
    offers_placed: placed,
    offers_left: left,
    ...(fresh.length > 0 && { forwarding_time: Math.max(0, deps.now() - Math.min(...fresh)) }),
  });
}
