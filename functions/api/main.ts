// The API as a process of its own.

import { type ApiSettings, apiSettings } from '../config/api.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { explainAndExit, onStopSignal, reportReady } from '../runtime/exit.ts';
import { followWorkflows } from '../runtime/followed-workflows.ts';
import { listen, listenerOf } from '../runtime/listen.ts';
import { nudger } from '../runtime/nudge.ts';
import { machineApp } from './from-settings.ts';

try {
  const settings = apiSettings(process.env);
  const log = createLog('api', logLevelOf(settings));
  const stopping = new AbortController();
  const connected = connect(storageOf(settings), { log });
  const app = machineApp(settings, connected, {
    workflows: await followWorkflows(settings.WORKFLOWS_PATH, log),
    log,
    nudge: nudger(settings.FORWARDER_URL, log, connected.timings),
    stopping: stopping.signal,
    settings: { links: linksOf(settings), fixedComfyUI: settings.FIXED_COMFYUI },
  });
  const server = await listen(listenerOf(app), settings.API_HOST, settings.API_PORT);
  onStopSignal(() => {
    stopping.abort();
    return server.close();
  });
  reportReady({ url: `http://${settings.API_HOST}:${server.port}` });
} catch (error) {
  explainAndExit(error);
}

function linksOf({ PUBLIC_URL: publicUrl, AWS_ENDPOINT_URL_S3: s3 }: ApiSettings) {
  if (publicUrl !== undefined) return { origin: publicUrl };
  return s3 === undefined ? 'bucket' : { origin: new URL(s3).origin };
}
