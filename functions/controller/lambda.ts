// The controller as a Lambda: a round every minute by schedule, and a check of the number of hosts when the stream
// reports that a job began to wait.

import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { controllerLambdaSettings } from '../config/controller.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { createMachines } from '../machines/machines.ts';
import { createMetrics } from '../metrics.ts';
import { answerBatch, type BatchAnswer } from '../runtime/stream.ts';
import { createStoreClient, engineOf } from '../store/dynamodb/client.ts';
import { openTables } from '../store/open.ts';
import { SCHEMA_VERSION } from '../store/tables.ts';
import { controlRound } from './round.ts';
import { scaleFleet } from './scale-fleet.ts';
import { createSpreading } from './queue-spread.ts';
import { createWatch } from './watch.ts';

/** The schedule's interval, ms. */
const EVERY = 60_000;
const settings = controllerLambdaSettings(process.env);
const log = createLog('controller', logLevelOf(settings, 'info'));
const metrics = createMetrics('controller', settings.METRICS_NAMESPACE);
const store = createStoreClient(
  {
    endpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
    region: settings.AWS_REGION,
  },
  Date.now,
);
const { fleetStore, ...tables } = openTables(engineOf(store, settings.TABLE_PREFIX));
const now = () => store.clock.now();
const deps = {
  ...tables,
  fleet: fleetStore,
  machines: createMachines({ group: settings.AUTO_SCALING_GROUP, region: settings.AWS_REGION }),
  maxHosts: settings.MAX_HOSTS,
  spot: settings.SPOT,
  warmth: { minHosts: settings.MIN_HOSTS, spans: settings.WARM },
  release: settings.RELEASE,
  log,
  metrics,
  now,
  watch: createWatch(EVERY),
  ledger: tables.ledgers.of(`controller.${randomUUID()}`),
  spreading: createSpreading({ ...tables, log, now, hostsPerShard: settings.HOSTS_PER_SHARD }),
  // A requeued job is a record of the stream, which calls the forwarder.
  nudge: () => undefined,
};
metrics.put({ cold_starts: 1, init_time: Math.round(performance.now()) });

/** @returns undefined for a scheduled event. @throws AppError bad_event; what a round threw */
export async function handler(event: unknown, context: Context): Promise<BatchAnswer | void> {
  if (isSchedule(event)) return round();
  return answerBatch(event, {
    log,
    version: SCHEMA_VERSION,
    timeLeft: context.getRemainingTimeInMillis(),
    skipped: (records_skipped) => metrics.put({ records_skipped }),
    poll: (records) => scaleFleet(deps, { hurried: true, began: records.map(({ jobId }) => jobId) }),
  });
}

/** Sent by EventBridge. */
function isSchedule(event: unknown): boolean {
  return (event as { 'detail-type'?: unknown } | null)?.['detail-type'] === 'Scheduled Event';
}

/** Jobs before hosts, since returned jobs wait again; where one part fails the other still runs. */
async function round(): Promise<void> {
  const [jobs] = await Promise.allSettled([controlRound(deps)]);
  await scaleFleet(deps);
  if (jobs.status === 'rejected') throw jobs.reason;
}
