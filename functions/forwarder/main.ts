// The forwarder as a process of its own: looks whenever it is nudged.

import { forwarderSettings } from '../config.ts';
import { createLog } from '../log.ts';
import { connect, placesOf } from '../process/connect.ts';
import { explainAndExit, onStopSignal, sayReady } from '../process/exit.ts';
import { listen } from '../process/listen.ts';
import { createForwarder } from './forward.ts';

try {
  const settings = forwarderSettings(process.env);
  const log = createLog('forwarder', settings.DEBUG ? 'debug' : 'warn');
  const { jobs, hosts, now } = connect(placesOf(settings));
  const forwarder = createForwarder({ jobs, hosts, log, now });
  const server = await listen(
    (req, res) => {
      const nudged = req.method === 'POST' && req.url === '/nudge';
      if (nudged) forwarder.nudge();
      req.resume();
      res.writeHead(nudged ? 202 : 404).end();
    },
    '127.0.0.1',
    settings.FORWARDER_PORT,
  );
  // What was nudged while nobody listened.
  forwarder.nudge();
  onStopSignal(() => server.close());
  sayReady({ url: `http://127.0.0.1:${server.port}` });
} catch (error) {
  explainAndExit(error);
}
