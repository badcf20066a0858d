// The flags of `npm run simulate` and their defaults.

import { JOB_SECONDS_GUESS, MAX_WAITING, START_SECONDS_GUESS } from '../../core/limits.ts';
import { readWarm, type Warmth, type WarmSpan } from '../../core/warm-schedule.ts';
import { CommandError } from '../api.ts';
import { flag, type Kind, listOf, number, type Program, type Values } from '../flags.ts';

/** The values of a deployment, from cdk.json. */
export interface Deployed {
  usdPerHour: number;
  idleMinutes: number;
  warmth: Warmth;
}

const SPANS: Kind<WarmSpan[]> = {
  must: 'be spans',
  read(text) {
    try {
      return readWarm(text);
    } catch (error) {
      throw new CommandError(`--warm: ${(error as Error).message}`);
    }
  },
};

const flagsOver = ({ usdPerHour, idleMinutes, warmth }: Deployed) => ({
  jobs: flag(
    listOf('whole numbers from 0 to 3000000', number(0, 3_000_000, true)),
    'N,N',
    'a day, a row each',
    {
      default: [0, 1000, 100_000, 1_000_000],
    },
  ),
  minHosts: flag(number(0, 1000, true), 'N', 'hosts that stay up all day', { default: warmth.minHosts }),
  warm: flag(
    SPANS,
    'SPANS',
    'in which hosts stay up, "mon-fri 08:00-18:00 Europe/Berlin=1"; the day is a Monday by UTC',
    {
      default: [...warmth.spans],
      otherwise: 'as cdk.json says',
    },
  ),
  secondsPerJob: flag(number(0.01, 3600), 'N', 'GPU time of a job', { default: JOB_SECONDS_GUESS }),
  startSeconds: flag(number(0, 7200), 'N', 'from the launch of a host to its first job', {
    default: START_SECONDS_GUESS,
  }),
  idleMinutes: flag(number(0.1, 1440), 'N', 'after which an idle host ends itself', { default: idleMinutes }),
  usdPerHour: flag(number(0, 1000), 'N', 'price of a host', { default: usdPerHour }),
  maxHosts: flag(number(0, 1_000_000, true), 'N', 'most hosts at once', {
    otherwise: 'what the peak needs and a quarter more, at least 2',
  }),
  maxWaiting: flag(number(1, 10_000_000, true), 'N', 'jobs that may wait; more are refused', {
    default: MAX_WAITING,
  }),
  seed: flag(number(0, 2 ** 32 - 1, true), 'N', 'of the day; the same seed is the same day', { default: 1 }),
});

type SimulateFlags = ReturnType<typeof flagsOver>;
export type Options = Values<SimulateFlags>;

export const programOver = (deployed: Deployed): Program<SimulateFlags> => ({
  name: 'npm run simulate --',
  usage: '[--flag VALUE ...]',
  about:
    'A day of jobs under the rule by which the controller starts GPU hosts: what jobs wait, what the hosts cost. Then what the tables are asked by 10 to 10,000 hosts, and what a million jobs cost beside their GPUs.',
  flags: flagsOver(deployed),
});
