// `npm run simulate`: how long a day's jobs wait and what they cost, under the controller's rule for GPU hosts. Only
// composes; exit code 0, or 1 with the reason.

import { readWarm } from '../core/warm-schedule.ts';
import { priceOf, readDeployment } from './deployment.ts';
import { costsOf, costTableOf } from './simulate/costs.ts';
import { readFlags } from './flags.ts';
import { helpOf } from './help.ts';
import { runMain } from './run.ts';
import { simulateDay } from './simulate/day.ts';
import { measureLoad } from './simulate/load.ts';
import { ASSUMED, loadTableOf, ofAJob } from './simulate/load-table.ts';
import { type Options, programOver } from './simulate/options.ts';
import { assumptionsOf, rowOf, tableOf } from './simulate/table.ts';
import { arrivalsOf, hostsFor } from './simulate/traffic.ts';
import { say } from './write.ts';

await runMain(async (argv) => {
  const deployment = await readDeployment();
  const { idleMinutes, minHosts, warm } = deployment;
  const warmth = { minHosts, spans: readWarm(warm) };
  const program = programOver({ usdPerHour: priceOf(deployment), idleMinutes, warmth });
  const line = readFlags(program, argv);
  return line ? simulate(line.values) : say(helpOf(program));
});

async function simulate(options: Options): Promise<void> {
  const warmth = { minHosts: options.minHosts, spans: options.warm };
  const rows = options.jobs.map((jobs) => {
    const maxHosts = options.maxHosts ?? hostsFor(jobs, options.secondsPerJob);
    const world = { ...options, warmth, maxHosts, idleSeconds: options.idleMinutes * 60 };
    return rowOf(jobs, maxHosts, simulateDay(arrivalsOf(jobs, options.seed), world), options.usdPerHour);
  });
  await say(`${tableOf(rows)}\n\n${assumptionsOf(options)}\n`);
  await say(await behind(options.secondsPerJob));
}

/** The load on the tables, measured with the product's code, and the cost of a million jobs without their GPUs. */
async function behind(secondsPerJob: number): Promise<string> {
  const loads = [];
  for (const hosts of [10, 100, 1000, 10_000]) loads.push(await measureLoad(hosts, secondsPerJob));
  const costs = costsOf(ofAJob(loads[1]!, secondsPerJob), secondsPerJob);
  return [loadTableOf(loads), ASSUMED, costTableOf(costs)].join('\n\n');
}
