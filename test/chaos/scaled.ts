// The product in a hurry: the protocol's numbers, scaled down so that a run takes seconds, as edits to the sources.
// The proportions stay: a heartbeat is much shorter than the dead-host limit, an answer's time limit shorter too.

import type { Edit } from './build.ts';

/** Milliseconds. What the checks compare with. */
export const SCALED = {
  heartbeat: 300,
  deadAfter: 3000,
  pollsEvery: 150,
  deadline: 3500,
  sweepEvery: 500,
  /** So far ahead or behind may a process's view of the tables' clock be: the Date header has whole seconds. */
  clockError: 2100,
} as const;

const limit = (name: string, was: string, is: number): Edit => ({
  file: 'functions/core/limits.ts',
  find: `export const ${name} = ${was};`,
  replace: `export const ${name} = ${is};`,
});

export const SCALING: readonly Edit[] = [
  limit('HEARTBEAT_EVERY', '5 * SECOND', SCALED.heartbeat),
  limit('HOST_DEAD_AFTER', '45 * SECOND', SCALED.deadAfter),
  limit('HOST_LOOKS_EVERY', 'SECOND', SCALED.pollsEvery),
  limit('SPREAD_READ_EVERY', 'MINUTE / 2', 500),
  limit('SPREAD_KNOWN_AFTER', '3 * MINUTE', 2000),
  limit('OFFER_TIMEOUT', '2 * SECOND', 400),
  limit('PROGRESS_EVERY', 'SECOND', 200),
  limit('JOB_DEADLINE', '10 * MINUTE', SCALED.deadline),
  // Long enough that a job that is held by nobody is not taken for one that ran too long.
  limit('JOB_LIMIT', 'HOUR', 600_000),
  {
    file: 'functions/host/prompts/health.ts',
    find: 'const INVENTORY_EVERY = 60_000;',
    replace: 'const INVENTORY_EVERY = 3000;',
  },
  {
    file: 'functions/host/host.ts',
    find: 'const LONGEST_PAUSE = 5000;',
    replace: 'const LONGEST_PAUSE = 600;',
  },
  { file: 'functions/host/host.ts', find: '250 * 2 ** attempt', replace: '40 * 2 ** attempt' },
  { file: 'functions/comfyui/client.ts', find: 'timeout = 10_000', replace: 'timeout = 1200' },
  {
    file: 'functions/comfyui/events.ts',
    find: 'const LONGEST_DELAY = 5000;',
    replace: 'const LONGEST_DELAY = 600;',
  },
  { file: 'functions/store/client.ts', find: 'requestTimeout: 10_000', replace: 'requestTimeout: 700' },
  { file: 'functions/images/client.ts', find: 'const IDLE = 60_000;', replace: 'const IDLE = 2000;' },
];
