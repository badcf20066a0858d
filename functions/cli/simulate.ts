// `npm run simulate`: what a day of jobs waits and costs, under the rule by which the controller starts GPU hosts. Only
// composes; exit code 0, or 1 and the reason.

import { AppError } from '../core/errors.ts';
import { readWarm } from '../core/warm-schedule.ts';
import { explainAndExit } from '../runtime/exit.ts';
import { CommandError } from './api.ts';
import { priceOf, readDeployment } from './deployment.ts';
import { costsOf, costTableOf } from './simulate/costs.ts';
import { simulateDay } from './simulate/day.ts';
import { measureLoad } from './simulate/load.ts';
import { ASSUMED, extrapolated, loadTableOf, ofAJob } from './simulate/load-table.ts';
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
    process.stdout.write(`\n${await behind(options.secondsPerJob)}\n`);
  }
} catch (error) {
  if (!(error instanceof CommandError || error instanceof AppError)) explainAndExit(error);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** What the tables are asked, measured with the very code, and what a million jobs cost beside their GPUs. */
async function behind(secondsPerJob: number): Promise<string> {
  const measured = [];
  for (const hosts of [10, 100, 1000, 2000]) measured.push(await measureLoad(hosts, secondsPerJob));
  const loads = [...measured, extrapolated(measured, 10_000)];
  const costs = costsOf(ofAJob(measured[1]!, secondsPerJob), secondsPerJob);
  return [loadTableOf(loads), ASSUMED, costTableOf(costs)].join('\n\n');
}
