// The API as a process of its own.

import { type ApiSettings, apiSettings } from '../config/api.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { explainAndExit, onStopSignal, reportReady } from '../runtime/exit.ts';
import { followWorkflows } from '../runtime/followed-workflows.ts';
import { CONNECTION_LIMITS, listen, listenerOf } from '../runtime/listen.ts';
import { nudger } from '../runtime/nudge.ts';
import { machineApps } from './from-settings.ts';

try {
  const settings = apiSettings(process.env);
  const log = createLog('api', logLevelOf(settings));
  const stopping = new AbortController();
  const connected = connect(storageOf(settings), { log });
  const { api, wire } = machineApps(settings, connected, {
    workflows: await followWorkflows(settings.WORKFLOWS_PATH, log),
    log,
    nudge: nudger(settings.FORWARDER_URL, log, connected.timings),
    stopping: stopping.signal,
    settings: { links: linksOf(settings), fixedComfyUI: settings.FIXED_COMFYUI },
  });
  const { API_HOST: host, API_PORT, COMFYUI_API_PORT } = settings;
  const server = await listen(listenerOf(api), host, API_PORT);
  const wireServer =
    COMFYUI_API_PORT === undefined
      ? undefined
      : await listen(listenerOf(wire.app), host, COMFYUI_API_PORT, CONNECTION_LIMITS, 'COMFYUI_API');
  wireServer?.server.on('upgrade', wire.upgrade);
  onStopSignal(async () => {
    stopping.abort();
    await Promise.all([server.close(), wireServer?.close()]);
  });
  reportReady({
    url: `http://${host}:${server.port}`,
    ...(wireServer && { wireUrl: `http://${host}:${wireServer.port}` }),
  });
} catch (error) {
  explainAndExit(error);
}

function linksOf({ PUBLIC_URL: publicUrl, AWS_ENDPOINT_URL_S3: s3 }: ApiSettings) {
  if (publicUrl !== undefined) return { origin: publicUrl };
  return s3 === undefined ? 'bucket' : { origin: new URL(s3).origin };
}
