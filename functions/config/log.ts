// The level of a program's log.

import * as z from 'zod/mini';
import type { Level } from '../log.ts';
import { setting } from './setting.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly Level[];

export const log = {
  LOG_LEVEL: setting(
    z.optional(z.enum(LEVELS)),
    `must be ${LEVELS.slice(0, -1).join(', ')} or ${LEVELS.at(-1)}`,
    'the least that is said in the log: structured, a line a thing, with the job’s id and never a prompt',
    { otherwise: '`warn`; `info` on AWS' },
  ),
  // The guide's variable. npm programs read a DEBUG of another form (`express:*`), which is ignored here.
  DEBUG: setting(
    z.pipe(
      z._default(z.string(), 'false'),
      z.transform((text) => /^(true|1)$/i.test(text)),
    ),
    'must be true or false',
    '`true` is `LOG_LEVEL=debug`; what other programs understand by it (`express:*`) is left to them',
  ),
};

/** @param usual the level if nothing is set */
export function logLevelOf(
  { LOG_LEVEL, DEBUG }: { LOG_LEVEL?: Level | undefined; DEBUG: boolean },
  usual: Level = 'warn',
): Level {
  return LOG_LEVEL ?? (DEBUG ? 'debug' : usual);
}
