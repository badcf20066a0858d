// The API as a Lambda behind a Function URL with response streaming.

import { apiLambdaSettings } from '../config/api-lambda.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { describeEvent } from '../runtime/stream.ts';
import { loadTemplates } from '../runtime/workflows.ts';
import { given, lambdaApp } from './from-settings.ts';
import { createOriginCheck } from './http/cloudfront-secret-check.ts';
import { requestOf, send } from './http/function-url.ts';

const settings = apiLambdaSettings(process.env);
const metrics = createMetrics('api', settings.METRICS_NAMESPACE);
const app = lambdaApp(settings, connect(storageOf(settings), { local: Date.now }), {
  // They lie in the bundle and do not change.
  workflows: { templates: await loadTemplates(settings.WORKFLOWS_PATH), refused: [] },
  log: createLog('api', logLevelOf(settings, 'info')),
  // The table's stream calls the forwarder and the controller.
  nudge: (jobId) => metrics.put({ jobs_accepted: 1 }, { jobId }),
  folder: import.meta.dirname,
});
const entry = createOriginCheck(app, given(settings.ORIGIN_SECRET, settings.ORIGIN_SECRET_PREVIOUS));

export const handler = awslambda.streamifyResponse(async (event: unknown, out) => {
  const response = await entry(requestOf(event, describeEvent));
  if (response.status >= 500) metrics.put({ requests_failed: 1 });
  await send(response, out);
});

metrics.put({ cold_starts: 1, init_time: Math.round(performance.now()) });
