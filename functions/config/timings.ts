// Shorter times for tests and chaos, which start the programs unmodified. A deployment always has the defaults.

import * as z from 'zod/mini';
import { TIMINGS, type Timings } from '../core/timings.ts';
import { setting, withSchema } from './setting.ts';

const NAMES = Object.keys(TIMINGS) as (keyof Timings)[];
const overrides = z.partialRecord(z.enum(NAMES), z.int().check(z.positive()));

const timing = setting(
  z.pipe(
    z.optional(z.string()),
    z.transform((text, context): Timings => {
      try {
        return { ...TIMINGS, ...overrides.parse(JSON.parse(text ?? '{}')) };
      } catch {
        context.issues.push({ code: 'custom', message: 'no such timings', input: text });
        return z.NEVER;
      }
    }),
  ),
  'must be a JSON object of milliseconds by names of functions/core/timings.ts, and must not be set on AWS',
  'for tests and chaos alone: other times than those of `functions/core/timings.ts`, the same for all processes of a deployment (`{"heartbeatEvery":300,"hostDeadAfter":3000}`)',
  { otherwise: 'those times' },
);

export const timings = { TEST_TIMINGS: timing };
/** Must be unset on AWS: a process with other times than the rest would treat living hosts as dead. */
export const noTimings = {
  TEST_TIMINGS: withSchema(
    timing,
    z.pipe(
      z.optional(z.never()),
      z.transform(() => TIMINGS),
    ),
  ),
};
