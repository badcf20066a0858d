// The controller as a process of its own: a round every few seconds.

import { controllerSettings } from '../config/controller.ts';
import { logLevelOf } from '../config/log.ts';
import { nudger } from '../process/nudge.ts';
import { createLog } from '../log.ts';
import { connect, placesOf } from '../process/connect.ts';
import { explainAndExit, onStopSignal, sayReady } from '../process/exit.ts';
import { every } from '../process/ticker.ts';
import { controlRound } from './round.ts';
import { createSpreading } from './spreading.ts';
import { createWatch } from './watch.ts';

try {
  const settings = controllerSettings(process.env);
  const log = createLog('controller', logLevelOf(settings));
  const { jobs, hosts, spread, chores, usage, now } = connect(placesOf(settings), { log });
  const nudge = nudger(settings.FORWARDER_URL, log);
  const watch = createWatch(settings.SWEEP_EVERY_MS);
  const spreading = createSpreading({
    jobs,
    hosts,
    spread,
    log,
    now,
    hostsPerShard: settings.HOSTS_PER_SHARD,
  });
  const ticker = every(
    settings.SWEEP_EVERY_MS,
    () => controlRound({ jobs, hosts, chores, usage, log, now, watch, nudge, spreading }),
    log,
    0,
  );
  onStopSignal(() => ticker.stop());
  sayReady({});
} catch (error) {
  explainAndExit(error);
}
