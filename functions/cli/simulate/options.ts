// What `npm run simulate` may be told, and what it assumes otherwise. Refuses what it does not know with what to type.

import { parseArgs } from 'node:util';
import { JOB_SECONDS_GUESS, MAX_WAITING, START_SECONDS_GUESS } from '../../core/limits.ts';
import { readWarm, type Warmth, type WarmSpan } from '../../core/warm-schedule.ts';
import { CommandError } from '../api.ts';

export interface Options {
  /** A day, one row each. */
  jobs: number[];
  secondsPerJob: number;
  startSeconds: number;
  idleMinutes: number;
  usdPerHour: number;
  /** Undefined: enough for the peak and a quarter more, and at least two. */
  maxHosts: number | undefined;
  maxWaiting: number;
  warmth: Warmth;
  seed: number;
}

/** What a deployment would have, from cdk.json. */
export interface Deployed {
  usdPerHour: number;
  idleMinutes: number;
  warmth: Warmth;
}

const FLAGS: Record<string, { of: string; bounds: [number, number]; whole?: boolean; what: string }> = {
  'seconds-per-job': { of: 'secondsPerJob', bounds: [0.01, 3600], what: 'GPU time of a job, in seconds' },
  'start-seconds': {
    of: 'startSeconds',
    bounds: [0, 7200],
    what: 'from the launch of a host to its first job',
  },
  'idle-minutes': { of: 'idleMinutes', bounds: [0.1, 1440], what: 'after which an idle host ends itself' },
  'usd-per-hour': { of: 'usdPerHour', bounds: [0, 1000], what: 'price of a host' },
  'max-hosts': { of: 'maxHosts', bounds: [0, 1_000_000], whole: true, what: 'most hosts at once' },
  'max-waiting': {
    of: 'maxWaiting',
    bounds: [1, 10_000_000],
    whole: true,
    what: 'jobs that may wait; more are refused',
  },
  seed: {
    of: 'seed',
    bounds: [0, 2 ** 32 - 1],
    whole: true,
    what: 'of the day; the same seed is the same day',
  },
};
const MOST_JOBS = 3_000_000;

/** @returns undefined: help is asked for. @throws CommandError */
export function readOptions(argv: string[], deployed: Deployed): Options | undefined {
  const { tokens } = parseArgs({
    args: argv,
    strict: false,
    tokens: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      jobs: { type: 'string' },
      warm: { type: 'string' },
      'min-hosts': { type: 'string' },
      ...Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }])),
    },
  });
  const options: Options = {
    jobs: [0, 1000, 100_000, 1_000_000],
    secondsPerJob: JOB_SECONDS_GUESS,
    startSeconds: START_SECONDS_GUESS,
    ...deployed,
    maxHosts: undefined,
    maxWaiting: MAX_WAITING,
    seed: 1,
  };
  for (const token of tokens) {
    if (token.kind === 'positional') throw new CommandError(`"${token.value}" is no flag; --help lists them`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') return undefined;
    const flag = FLAGS[token.name];
    if (!['jobs', 'warm', 'min-hosts'].includes(token.name) && !flag)
      throw new CommandError(
        `Unknown flag ${token.rawName}; there are --jobs, --warm, --min-hosts, ${Object.keys(FLAGS)
          .map((name) => `--${name}`)
          .join(', ')} and --help`,
      );
    if (token.value === undefined)
      throw new CommandError(`${token.rawName} needs a value: ${token.rawName}=VALUE`);
    if (flag)
      Object.assign(options, { [flag.of]: numberOf(token.rawName, token.value, flag.bounds, flag.whole) });
    else if (token.name === 'warm') options.warmth = { ...options.warmth, spans: spansOf(token.value) };
    else if (token.name === 'min-hosts')
      options.warmth = { ...options.warmth, minHosts: numberOf('--min-hosts', token.value, [0, 1000], true) };
    else options.jobs = token.value.split(',').map((one) => numberOf('--jobs', one, [0, MOST_JOBS], true));
  }
  return options;
}

function spansOf(text: string): WarmSpan[] {
  try {
    return readWarm(text);
  } catch (error) {
    throw new CommandError(`--warm: ${(error as Error).message}`);
  }
}

function numberOf(flag: string, text: string, [least, most]: [number, number], whole = false): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new CommandError(
    `${flag} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}; it is "${text}"`,
  );
}

export function helpOf(deployed: Deployed): string {
  const defaults = readOptions([], deployed)!;
  const lines = Object.entries(FLAGS).map(([name, { of, what }]) => {
    const value = defaults[of as Exclude<keyof Options, 'warmth'>];
    return `  ${`--${name}`.padEnd(18)} ${what}; ${value === undefined ? 'what the peak needs and a quarter more, at least 2' : String(value)}`;
  });
  return [
    'npm run simulate -- [--flag value ...]',
    '',
    'A day of jobs under the rule by which the controller starts GPU hosts: what jobs wait, what the hosts cost. Then what',
    'the tables are asked by 10 to 10,000 hosts, and what a million jobs cost beside their GPUs.',
    '',
    `  ${'--jobs'.padEnd(18)} a day, several separated by commas; ${defaults.jobs.join(',')}`,
    `  ${'--min-hosts'.padEnd(18)} hosts that stay up all day; ${deployed.warmth.minHosts}`,
    `  ${'--warm'.padEnd(18)} spans in which hosts stay up, "mon-fri 08:00-18:00 Europe/Berlin=1"; the day is a Monday by UTC`,
    ...lines,
    '',
  ].join('\n');
}
