// Whole numbers in addresses: refused where they are none.

import type { Context } from 'hono';
import { invalid } from '../../core/inputs.ts';
import type { ApiEnv } from '../deps.ts';

/** Undefined: it was not given. @throws AppError invalid_field */
export function wholeNumber(c: Context<ApiEnv>, name: string): number | undefined {
  const given = c.req.query(name);
  if (given === undefined || given === '') return undefined;
  if (!/^-?\d{1,9}$/.test(given)) throw invalid(name, 'must be a whole number');
  return Number(given);
}
