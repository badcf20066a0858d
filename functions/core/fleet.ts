// What the controller remembers of the GPU hosts between two rounds, and the api tells people: one item. Pure shapes;
// how it changes stands in controller/scale.ts.

import { UNWATCHED_AFTER } from './limits.ts';

/** Why EC2 launches none. */
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
  /** Ends "no gpu host can be started: …", for a person. */
  reason: string;
  /** Since when, ms. */
  at: number;
}

/** One instance of the group. Times in ms. */
export interface SeenInstance {
  firstSeen: number;
  /** When its host was last seen to work; absent: it never came up. */
  upAt?: number;
  /** Since when it drains. */
  drainingAt?: number;
  /** It is to be ended, and is told so again until it does. */
  givenUp?: true;
}

/** Times in ms, the tables' clock. */
export interface Fleet {
  /** Rises by one with each write. */
  version: number;
  /** Of the last round; 0: there was none. */
  updatedAt: number;
  /** Instances that the group was to have after the last round. */
  desired: number;
  /** Hosts that the backlog asks for. */
  wanted: number;
  /** Hosts that take jobs. */
  ready: number;
  raisedAt: number;
  /** Of a GPU's time for one job, as the hosts measure it; kept while none is alive. */
  secondsPerJob?: number;
  /** From when an instance was first seen to when its host came up. */
  secondsPerStart?: number;
  /** By instance id: those that the group has, no others. */
  seen: Record<string, SeenInstance>;
  /** In a row, that never came up. */
  failedStarts: number;
  /** What hosts should run. */
  release?: string;
  /** Since when: what is launched later may be of a deployment that has not reached the controller yet. */
  releaseSince?: number;
  blocked?: Blocked;
  /** Waiting jobs that hosts of this release left alone for want of models or nodes, and since when: they wake nobody. */
  unrunnable?: Record<string, number>;
  /** Instances that stay up though they are idle: their hosts ask for it before they end themselves. */
  warm?: string[];
  /** Of a call that failed: for people. */
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

/** Whether the controller wants this instance to stay up without work; one that has fallen silent wants nothing. */
export function isKeptWarm({ warm, updatedAt }: Fleet, instanceId: string, now: number): boolean {
  return now - updatedAt <= UNWATCHED_AFTER && (warm ?? []).includes(instanceId);
}
