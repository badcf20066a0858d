// The controller as a process of its own: a round every few seconds.

import { randomUUID } from 'node:crypto';
import { controllerSettings } from '../config/controller.ts';
import { logLevelOf } from '../config/log.ts';
import { nudger } from '../runtime/nudge.ts';
import { createLog } from '../log.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { explainAndExit, onStopSignal, reportReady } from '../runtime/exit.ts';
import { every } from '../runtime/ticker.ts';
import { controlRound } from './round.ts';
import { createSpreading } from './queue-spread.ts';
import { createWatch } from './watch.ts';

try {
  const settings = controllerSettings(process.env);
  const log = createLog('controller', logLevelOf(settings));
  const { jobs, hosts, spread, chores, usage, ledgers, timings, now } = connect(storageOf(settings), { log });
  const nudge = nudger(settings.FORWARDER_URL, log, timings);
  const ledger = ledgers.of(`controller.${randomUUID()}`);
  const watch = createWatch(settings.SWEEP_EVERY_MS, timings);
  const spreading = createSpreading({
    jobs,
    hosts,
    spread,
    log,
    timings,
    now,
    hostsPerShard: settings.HOSTS_PER_SHARD,
  });
  const ticker = every(
    'control',
    settings.SWEEP_EVERY_MS,
    () => controlRound({ jobs, hosts, chores, usage, log, timings, now, watch, nudge, spreading, ledger }),
    log,
    0,
  );
  onStopSignal(() => ticker.stop());
  reportReady({});
} catch (error) {
  explainAndExit(error);
}
