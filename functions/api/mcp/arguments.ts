// The arguments of tools, checked: a model makes them up, so that each refusal names the argument and what it takes.

import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { isJobId } from '../../core/names.ts';

export type Arguments = Record<string, unknown>;

/** As long as a call waits at most; clients give one up after 60 s, proxies after 30. */
export const MAX_WAIT_SECONDS = 25;

export const WAIT_SECONDS = {
  type: 'integer',
  minimum: 0,
  maximum: MAX_WAIT_SECONDS,
  default: MAX_WAIT_SECONDS,
  description: 'How long to wait for the end of the job; 0: not at all',
};
export const INLINE = {
  type: 'boolean',
  default: true,
  description: 'false: links to the files alone, for clients that take only small results',
};
export const JOB_ID = { type: 'string', description: 'As generate gave it' };

/** @throws AppError unknown_field, missing_field */
export function refuseOthers(
  given: Arguments,
  known: readonly string[],
  required: readonly string[] = [],
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const field = name.slice(0, 60);
    throw new AppError('unknown_field', `Unknown argument: ${field}; this tool takes ${listed(known)}`, {
      field,
    });
  }
  const field = required.find((name) => given[name] === undefined || given[name] === null);
  if (field !== undefined) throw new AppError('missing_field', `Missing argument: ${field}`, { field });
}

const listed = (names: readonly string[]) => (names.length > 0 ? names.join(', ') : 'none');

/** null counts as absent. @throws AppError invalid_field */
export function textOf(given: Arguments, name: string): string | undefined {
  const value = given[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(name, 'must be a text');
}

/** @returns ms @throws AppError invalid_field */
export function waitOf({ wait_seconds: value }: Arguments): number {
  if (value === undefined || value === null) return MAX_WAIT_SECONDS * 1000;
  if (typeof value !== 'number' || !(value >= 0) || value > MAX_WAIT_SECONDS)
    throw invalid('wait_seconds', `must be a number from 0 to ${MAX_WAIT_SECONDS}`);
  return value * 1000;
}

/** @throws AppError invalid_field */
export function inlineOf({ inline }: Arguments): boolean {
  if (inline === undefined || inline === null) return true;
  if (typeof inline !== 'boolean') throw invalid('inline', 'must be true or false');
  return inline;
}

/** In whichever case it is written. @throws AppError job_not_found */
export function jobIdOf(value: unknown): string {
  const id = typeof value === 'string' ? value.toLowerCase() : '';
  if (isJobId(id)) return id;
  throw new AppError('job_not_found', 'There is no job of this id; generate gives a job_id');
}
