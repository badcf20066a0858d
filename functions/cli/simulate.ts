// `npm run simulate`: what a day of jobs waits and costs, under the rule by which the controller starts GPU hosts. Only
// composes; exit code 0, or 1 and the reason.

import { AppError } from '../core/errors.ts';
import { readWarm } from '../core/warm.ts';
import { explainAndExit } from '../process/exit.ts';
import { CommandError } from './api.ts';
import { priceOf, readDeployment } from './deployment.ts';
import { simulateDay } from './simulate/day.ts';
import { helpOf, readOptions } from './simulate/options.ts';
import { assumptionsOf, rowOf, tableOf } from './simulate/table.ts';
import { arrivalsOf, hostsFor } from './simulate/traffic.ts';

try {
  const deployment = await readDeployment();
  const { idleMinutes, minHosts, warm } = deployment;
  const deployed = {
    usdPerHour: priceOf(deployment),
    idleMinutes,
    warmth: { minHosts, spans: readWarm(warm) },
  };
  const options = readOptions(process.argv.slice(2), deployed);
  if (!options) process.stdout.write(helpOf(deployed));
  else {
    const rows = options.jobs.map((jobs) => {
      const maxHosts = options.maxHosts ?? hostsFor(jobs, options.secondsPerJob);
      const world = { ...options, maxHosts, idleSeconds: options.idleMinutes * 60 };
      return rowOf(jobs, maxHosts, simulateDay(arrivalsOf(jobs, options.seed), world), options.usdPerHour);
    });
    process.stdout.write(`${tableOf(rows)}\n\n${assumptionsOf(options)}\n`);
  }
} catch (error) {
  if (!(error instanceof CommandError || error instanceof AppError)) explainAndExit(error);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
