// `npm run chaos`: the product as real processes under load, broken in every way that a seed says, and checked.
// `--seeds 1-50` or `--seeds 7,9`; `--jobs 100`; `--out chaos.json` (results add up in it);
// `--kinds kill,stop` breaks in these ways only; `--mutations [part of a name …]`.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { bundle } from './build.ts';
import { describe, KINDS } from './plan.ts';
import { tableOf } from './report.ts';
import { historyOf, type Outcome, runSeed, type SeedResult } from './run.ts';
import { runMutations } from './mutate.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1-3' },
    jobs: { type: 'string', default: '100' },
    out: { type: 'string', default: 'chaos.json' },
    kinds: { type: 'string' },
    mutations: { type: 'boolean', default: false },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.exit(values.mutations ? await runMutations(positionals) : await seeds());

async function seeds(): Promise<number> {
  const wanted = values.seeds.split(',').flatMap((part) => {
    const [from = 1, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  const kinds = values.kinds?.split(',');
  const focus = kinds && { kinds: KINDS.filter((kind) => kinds.includes(kind)) };
  const bundles = await bundle();
  let violated = false;
  try {
    for (const seed of wanted) {
      const outcome = await runSeed(bundles, seed, { jobs: Number(values.jobs), focus });
      process.stdout.write(`${lineOf(outcome.result)}\n`);
      if (outcome.result.violations.length > 0 || process.env['CHAOS_DEBUG']) explain(outcome);
      violated ||= outcome.result.violations.length > 0;
      await remember(outcome.result);
    }
  } finally {
    await bundles.remove();
  }
  process.stdout.write(`\n${tableOf(await remembered())}\n`);
  return violated ? 1 : 0;
}

function lineOf(result: SeedResult): string {
  const { seed, jobs, completed, failed, cancelled, attemptsLost, adopted, violations } = result;
  const { worstRecoveryMs, starvedMs, seconds } = result;
  const faults = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
  return (
    `seed ${seed}: ${faults} faults, ${jobs} jobs (${completed} completed, ${failed} failed, ${cancelled} cancelled), ` +
    `${attemptsLost} attempts lost, ${adopted} adopted, worst recovery ${worstRecoveryMs} ms, ${seconds} s, starved ${starvedMs / 1000} s: ` +
    (violations.length === 0 ? 'ok' : `${violations.length} VIOLATIONS`)
  );
}

function explain({ result, plan, histories }: Outcome): void {
  const lines = [`The plan of seed ${result.seed}:`];
  for (const { host, offset } of plan.clocks) lines.push(`  the clock of host${host} is off by ${offset} ms`);
  lines.push(...plan.faults.map((fault) => `  ${describe(fault)}`));
  for (const { check, jobId, detail } of result.violations.slice(0, 20)) {
    lines.push(`VIOLATED ${check}: ${detail}${jobId === undefined ? '' : ` [${jobId}]`}`);
    const versions = jobId === undefined ? undefined : histories.get(jobId);
    if (versions) lines.push(historyOf(versions));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function remembered(): Promise<SeedResult[]> {
  const text = await readFile(values.out, 'utf8').catch(() => '[]');
  return JSON.parse(text) as SeedResult[];
}

async function remember(result: SeedResult): Promise<void> {
  const others = (await remembered()).filter(({ seed }) => seed !== result.seed);
  const all = [...others, result].sort((a, b) => a.seed - b.seed);
  await writeFile(values.out, `[\n${all.map((one) => `  ${JSON.stringify(one)}`).join(',\n')}\n]\n`);
}
