// The API as a process of its own.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import recordedNodes from '../comfyui/recorded-object-info.json' with { type: 'json' };
import { allowedOriginsOf, type ApiSettings, apiSettings } from '../config/api.ts';
import { ownerLimitsOf } from '../config/owner-limits.ts';
import { logLevelOf } from '../config/log.ts';
import { connect, placesOf } from '../process/connect.ts';
import { explainAndExit, onStopSignal, sayReady } from '../process/exit.ts';
import { listen, listenerOf } from '../process/listen.ts';
import { docsFolder } from '../process/docs.ts';
import { followWorkflows } from '../process/followed-workflows.ts';
import { createLog } from '../log.ts';
import { askForKeys } from './http/access.ts';
import { createApp } from './app.ts';
import { nudger } from '../process/nudge.ts';

try {
  const settings = apiSettings(process.env);
  const log = createLog('api', logLevelOf(settings));
  const connected = connect(placesOf(settings), { log });
  const workflows = await followWorkflows(settings.WORKFLOWS_PATH, log);
  const stopping = new AbortController();
  const app = createApp({
    ...connected,
    ...(settings.API_KEYS === 'required' && { admit: askForKeys(connected) }),
    workflows,
    log,
    random: randomBytes,
    nudge: nudger(settings.FORWARDER_URL, log),
    docs: docsFolder(),
    stopping: stopping.signal,
    recorded: { nodes: recordedNodes, models: {} },
    settings: {
      links: linksOf(settings),
      allowedOrigins: allowedOriginsOf(settings),
      allowedHosts: [...settings.ALLOWED_HOSTS, hostname()],
      fixedComfyUI: settings.FIXED_COMFYUI,
      maxWaiting: settings.MAX_WAITING,
      webhookAllowPrivate: settings.WEBHOOK_ALLOW_PRIVATE,
      heldRequests: settings.HELD_REQUESTS,
      ownerLimits: ownerLimitsOf(settings),
      keep: settings.KEEP_DAYS,
    },
  });
  const server = await listen(listenerOf(app), settings.API_HOST, settings.API_PORT);
  onStopSignal(() => {
    stopping.abort();
    return server.close();
  });
  sayReady({ url: `http://${settings.API_HOST}:${server.port}` });
} catch (error) {
  explainAndExit(error);
}

function linksOf({ PUBLIC_URL: publicUrl, AWS_ENDPOINT_URL_S3: s3 }: ApiSettings) {
  if (publicUrl !== undefined) return { origin: publicUrl };
  return s3 === undefined ? 'bucket' : { origin: new URL(s3).origin };
}
