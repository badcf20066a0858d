// The API as a Lambda behind a Function URL with response streaming.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiLambdaSettings, NO_SECRET } from '../config/api-lambda.ts';
import { ownerLimitsOf } from '../config/owner-limits.ts';
import { logLevelOf } from '../config/log.ts';
import type { ObjectInfo } from '../core/object-info.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { connect, placesOf } from '../process/connect.ts';
import { describeEvent } from '../process/stream.ts';
import { loadTemplates } from '../process/workflows.ts';
import { askForKeys } from './http/access.ts';
import { createApp } from './app.ts';
import { createFrontDoor } from './http/front-door.ts';
import { requestOf, send } from './http/function-url.ts';

const settings = apiLambdaSettings(process.env);
const log = createLog('api', logLevelOf(settings, 'info'));
const metrics = createMetrics('api', settings.METRICS_NAMESPACE);
const connected = connect(placesOf(settings), { local: Date.now });
const app = createApp({
  ...connected,
  // They lie in the bundle and do not change.
  workflows: { templates: await loadTemplates(settings.WORKFLOWS_PATH), refused: [] },
  log,
  random: randomBytes,
  // The table's stream tells the forwarder and the controller.
  nudge: (jobId) => metrics.put({ jobs_accepted: 1 }, { job_id: jobId }),
  // They lie beside the bundle, and who needs what was recorded is rare: no cold start loads it.
  docs: join(import.meta.dirname, 'docs'),
  recorded: {
    get nodes(): ObjectInfo {
      const recorded = join(import.meta.dirname, 'recorded-object-info.json');
      return JSON.parse(readFileSync(recorded, 'utf8')) as ObjectInfo;
    },
    models: {},
  },
  settings: {
    links: 'bucket',
    allowedOrigins: settings.ALLOWED_ORIGINS,
    fixedComfyUI: false,
    maxWaiting: settings.MAX_WAITING,
    heldRequests: settings.HELD_REQUESTS,
    // Lambda would break it off after a minute.
    heldAtMost: 50_000,
    hsts: true,
    ownerLimits: ownerLimitsOf(settings),
    keep: settings.KEEP_DAYS,
  },
  admit: askForKeys(connected, ...given(settings.API_KEY, settings.API_KEY_PREVIOUS)),
});
const door = createFrontDoor(app, given(settings.ORIGIN_SECRET, settings.ORIGIN_SECRET_PREVIOUS));

/** Of a secret that is replaced, both. */
function given(...secrets: (string | undefined)[]): string[] {
  return secrets.flatMap((secret) => (secret === undefined || secret === NO_SECRET ? [] : [secret]));
}

export const handler = awslambda.streamifyResponse(async (event: unknown, out) => {
  const response = await door(requestOf(event, describeEvent));
  if (response.status >= 500) metrics.put({ requests_failed: 1 });
  await send(response, out);
});

metrics.put({ cold_starts: 1, init_time: Math.round(performance.now()) });
