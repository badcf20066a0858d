// The forwarder as a process of its own: polls whenever it is nudged.

import { forwarderSettings } from '../config/forwarder.ts';
import { logLevelOf } from '../config/log.ts';
import { createLog } from '../log.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { explainAndExit, onStopSignal, reportReady } from '../runtime/exit.ts';
import { CONNECTION_LIMITS, listen } from '../runtime/listen.ts';
import { createForwarder } from './forwarder.ts';

try {
  const settings = forwarderSettings(process.env);
  const log = createLog('forwarder', logLevelOf(settings));
  const { jobs, hosts, timings, now } = connect(storageOf(settings), { log });
  const forwarder = createForwarder({ jobs, hosts, log, timings, now });
  const server = await listen(
    (req, res) => {
      const [path, query] = (req.url ?? '').split('?');
      const nudged = req.method === 'POST' && path === '/nudge';
      if (nudged) forwarder.nudge(new URLSearchParams(query).get('job') ?? undefined);
      req.resume();
      res.writeHead(nudged ? 202 : 404).end();
    },
    '127.0.0.1',
    settings.FORWARDER_PORT,
    CONNECTION_LIMITS,
    'FORWARDER',
  );
  // For nudges sent before this process listened.
  forwarder.nudge();
  onStopSignal(() => {
    forwarder.stop();
    return server.close();
  });
  reportReady({ url: `http://127.0.0.1:${server.port}` });
} catch (error) {
  explainAndExit(error);
}
