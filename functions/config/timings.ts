// Shorter times for tests and chaos, which start the programs unmodified. A deployment always has the defaults.

import * as z from 'zod';
import { TIMINGS, type Timings } from '../core/timings.ts';
import { setting, withSchema } from './setting.ts';

const NAMES = Object.keys(TIMINGS) as (keyof Timings)[];
const overrides = z.partialRecord(z.enum(NAMES), z.number().int().positive());

const timing = setting(
  z
    .string()
    .optional()
    .transform((text, context): Timings => {
      try {
        return { ...TIMINGS, ...overrides.parse(JSON.parse(text ?? '{}')) };
      } catch {
        context.addIssue('no such timings');
        return z.NEVER;
      }
    }),
  'must be a JSON object of milliseconds by names of functions/core/timings.ts, and must not be set on AWS',
  'for tests and chaos alone: other times than those of `functions/core/timings.ts`, the same for all processes of a deployment (`{"heartbeatEvery":300,"hostDeadAfter":3000}`)',
  { otherwise: 'those times' },
);

export const timings = { TEST_TIMINGS: timing };
/** Must be unset on AWS: a process with other times than the rest would treat living hosts as dead. */
export const noTimings = {
  TEST_TIMINGS: withSchema(
    timing,
    z
      .never()
      .optional()
      .transform(() => TIMINGS),
  ),
};
