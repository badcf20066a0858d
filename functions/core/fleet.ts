// What the controller remembers of the GPU hosts between rounds, and the api reports: one item. Pure shapes; the rules
// are in controller/scale.ts.

import { UNWATCHED_AFTER } from './limits.ts';

/** Why EC2 launches no instance. */
export const LAUNCH_PROBLEMS = [
  'quota',
  'free_plan',
  'no_capacity',
  'bad_template',
  'not_allowed',
  'account',
  'launch_failed',
] as const;
export type LaunchProblem = (typeof LAUNCH_PROBLEMS)[number];

/** Why no GPU host can be started. */
export type StartProblem =
  | LaunchProblem
  | 'launch_suspended'
  | 'never_registered'
  | 'raise_refused'
  | 'no_hosts_allowed';

export interface Blocked {
  code: StartProblem;
  /** Completes "no gpu host can be started: …", for a person. */
  reason: string;
  /** Since when, ms. */
  at: number;
}

/** One instance of the group. Times in ms. */
export interface SeenInstance {
  firstSeen: number;
  /** When its host was last seen working; absent: it never came up. */
  upAt?: number;
  /** Since when it drains. */
  drainingAt?: number;
  /** It is to be terminated; repeated each round until it is gone. */
  givenUp?: true;
}

/** Times in ms, the tables' clock. */
export interface Fleet {
  /** Rises by one with each write. */
  version: number;
  /** When the last round wrote; 0: there was none. */
  updatedAt: number;
  /** The group's desired capacity after the last round. */
  desired: number;
  /** Hosts that the backlog calls for. */
  wanted: number;
  /** Hosts that claim jobs. */
  ready: number;
  raisedAt: number;
  /** Mean GPU time of a job, as hosts measure it; kept while no host is alive. */
  secondsPerJob?: number;
  /** How many hosts an instance has, one for each GPU; kept while no host is alive. Absent: one. */
  hostsPerInstance?: number;
  /** Mean time from the first sight of an instance to its host being up. */
  secondsPerStart?: number;
  /** The group's instances, by id. */
  seen: Record<string, SeenInstance>;
  /** Consecutive starts that never came up. */
  failedStarts: number;
  /** The release that hosts should run. */
  release?: string;
  /** When that release was first seen: instances launched later may belong to a newer deployment. */
  releaseSince?: number;
  blocked?: Blocked;
  /** Waiting jobs that hosts of this release skip for missing requirements, and since when: they start no host. */
  unrunnable?: Record<string, number>;
  /** Hashes of the inventories of this release's hosts; kept while none is alive. */
  inventories?: string[];
  /** Instances kept up while idle: a host reads this before it ends itself. */
  warm?: string[];
  /** The last failed call to AWS, for people. */
  lastError?: { message: string; at: number };
}

export const UNKNOWN_FLEET: Fleet = {
  version: 0,
  updatedAt: 0,
  desired: 0,
  wanted: 0,
  ready: 0,
  raisedAt: 0,
  seen: {},
  failedStarts: 0,
};

/** Is this instance kept up without work? False where the controller has not written for `UNWATCHED_AFTER`. @param now ms */
export function isKeptWarm({ warm, updatedAt }: Fleet, instanceId: string, now: number): boolean {
  return now - updatedAt <= UNWATCHED_AFTER && (warm ?? []).includes(instanceId);
}
