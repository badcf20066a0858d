// Shows that the checks bite: applies one mutation after the other and runs seeds until a check notices.

import { bundle, StaleEdit } from './build.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';
import { runSeed } from './run.ts';

const SEEDS = 4;
const JOBS = 60;
const FIRST_SEED = 1001;

interface Verdict {
  name: string;
  /** The check and the seed; undefined: nothing noticed. */
  caught?: { check: string; seed: number; detail: string };
  stale?: string;
  covered?: string;
}

/** @param names only those that contain one of these; @returns the exit code: 1 where one was not caught */
export async function runMutations(names: readonly string[]): Promise<number> {
  const chosen = MUTATIONS.filter(
    ({ name }) => names.length === 0 || names.some((part) => name.includes(part)),
  );
  const verdicts: Verdict[] = [];
  for (const mutation of chosen) {
    const verdict = await judge(mutation);
    verdicts.push(verdict);
    process.stdout.write(`${lineOf(verdict)}\n`);
  }
  const missed = verdicts.filter(({ caught, covered }) => !caught && covered === undefined);
  const stale = verdicts.filter((verdict) => verdict.stale !== undefined);
  process.stdout.write(
    `\n${verdicts.filter(({ caught }) => caught).length} of ${verdicts.length} caught; ` +
      `${missed.length} missed, ${stale.length} of them stale\n`,
  );
  return missed.length > 0 ? 1 : 0;
}

async function judge({
  name,
  edits,
  focus,
  seeds = SEEDS,
  jobs = JOBS,
  covered,
}: Mutation): Promise<Verdict> {
  try {
    const bundles = await bundle(edits);
    try {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed += 1) {
        const { result } = await runSeed(bundles, seed, { jobs, focus, hurry: true });
        const [first] = result.violations;
        if (first) return { name, caught: { check: first.check, seed, detail: first.detail } };
      }
    } finally {
      await bundles.remove();
    }
  } catch (error) {
    if (error instanceof StaleEdit) return { name, stale: error.message };
    throw error;
  }
  return { name, ...(covered !== undefined && { covered }) };
}

function lineOf({ name, caught, stale, covered }: Verdict): string {
  if (caught) return `caught      ${name}: by "${caught.check}", seed ${caught.seed}: ${caught.detail}`;
  if (stale !== undefined) return `STALE       ${name}: ${stale}`;
  if (covered !== undefined) return `not told    ${name}: ${covered}`;
  return `NOT CAUGHT  ${name}`;
}
