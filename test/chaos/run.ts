// One seed: a deployment, a load, the seed's faults, and the verdict.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import type { Bundles } from './build.ts';
import { checkJobs, checkTable } from './checks.ts';
import { inject } from './inject.ts';
import { brief, type Version, type Violation } from './ledger.ts';
import { drawLoad, startLoad } from './load.ts';
import { checkLosses } from './losses.ts';
import { draw, type Focus, type Plan } from './plan.ts';
import { randomFrom } from './random.ts';
import { SCALED } from './scaled.ts';
import type { Starvation } from './starvation.ts';
import { keepVigil } from './vigil.ts';
import { startDeployment } from './deployment.ts';

export interface SeedResult {
  seed: number;
  jobs: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Accepted and not ended, or not in the table. */
  lost: number;
  /** Completed more than once. */
  doubled: number;
  /** By kind. */
  faults: Record<string, number>;
  /** Started attempts that were lost and counted. */
  attemptsLost: number;
  adopted: number;
  worstRecoveryMs: number;
  /** Of the run, in which time limits were not judged, because the machine was busy otherwise. */
  starvedMs: number;
  seconds: number;
  violations: Violation[];
}

export interface Outcome {
  result: SeedResult;
  plan: Plan;
  histories: Map<string, Version[]>;
}

export interface RunOptions {
  jobs?: number;
  focus?: Focus | undefined;
  /** What a violation of these is, ends the run early. */
  hurry?: boolean;
}

const SETTLES_WITHIN = 25_000;
const SETTLES_AT_LAST = 75_000;

export async function runSeed(
  bundles: Bundles,
  seed: number,
  { jobs = 100, focus, hurry = false }: RunOptions = {},
): Promise<Outcome> {
  const random = randomFrom(seed);
  const plan = draw(random, seed, jobs, focus);
  const asks = drawLoad(random, jobs, plan.submitting);
  const startedAt = Date.now();
  const deployment = await startDeployment(bundles, plan, join(packageRoot(), 'test', 'chaos', 'workflows'));
  try {
    const { ledger, starvation } = deployment;
    const starvedAtStart = starvation.total();
    const vigil = keepVigil(deployment);
    const load = startLoad(deployment, asks);
    const faultsOver = inject(deployment, plan.faults);
    const enough = hurry ? until(() => ledger.violations.length > 0) : never;
    await Promise.race([faultsOver, enough]);
    await Promise.race([load.done, enough, lateness(starvation)]);
    load.stop();
    // What is judged a little later.
    await sleep(600);
    const { worstRecoveryMs } = vigil.stop();
    const attemptsLost = checkLosses(deployment);
    if (!(hurry && ledger.violations.length > 0)) {
      await checkJobs(ledger, load.submitted, deployment.images());
      checkTable(ledger, await deployment.table.scan('jobs'));
    }
    const ends = load.submitted.flatMap(({ jobId }) => (jobId ? [ledger.now(jobId)?.status] : []));
    const count = (status: string) => ends.filter((end) => end === status).length;
    const versions = [...ledger.jobs.values()];
    return {
      plan,
      histories: ledger.jobs,
      result: {
        seed,
        jobs: ends.length,
        completed: count('completed'),
        failed: count('failed'),
        cancelled: count('cancelled'),
        lost: ends.length - count('completed') - count('failed') - count('cancelled'),
        doubled: versions.filter((one) => one.filter(({ verb }) => verb === 'complete').length > 1).length,
        faults: tally([...plan.faults.map(({ kind }) => kind), ...plan.clocks.map(() => 'clock')]),
        attemptsLost,
        adopted: versions.flat().filter(({ verb }) => verb === 'adopt').length,
        worstRecoveryMs,
        starvedMs: starvation.total() - starvedAtStart,
        seconds: Math.round((Date.now() - startedAt) / 100) / 10,
        violations: ledger.violations,
      },
    };
  } finally {
    await deployment.close();
  }
}

/** Resolves when everything should have settled long ago, however busy the machine is. */
async function lateness(starvation: Starvation): Promise<void> {
  const from = Date.now();
  const before = starvation.total();
  const passed = () => Date.now() - from;
  while (passed() < Math.min(SETTLES_WITHIN + starvation.total() - before, SETTLES_AT_LAST)) await sleep(100);
}

const never = new Promise<never>(() => undefined);

async function until(met: () => boolean): Promise<void> {
  while (!met()) await sleep(200);
}

export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** A job's accepted writes, one a line; times in ms since its acceptance. */
export function historyOf(versions: readonly Version[]): string {
  const from = versions[0]?.sentAt ?? 0;
  return versions
    .map(
      ({ verb, by, sentAt, at, state }) =>
        `${String(sentAt - from).padStart(7)}–${at - from} ms  ${verb} by ${by}: ${brief(state)}${state.error ? ` (${state.error})` : ''}`,
    )
    .join('\n');
}

/** How much faster than in earnest. */
export const SCALE = 45_000 / SCALED.deadAfter;
