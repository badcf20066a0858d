// Where an output that a graph names lies. Beside own-output.ts, since no cold start needs it.

import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { keys } from '../../core/names.ts';
import type { ApiDeps } from '../deps.ts';
import { findOutput } from './own-output.ts';

/** Undefined: the caller has no such output. */
export async function keyOfOutput(
  deps: Pick<ApiDeps, 'jobs'>,
  caller: Caller,
  filename: string,
): Promise<string | undefined> {
  try {
    const { state, output } = await findOutput(deps, caller, filename);
    return keys.image(state.jobId, state.attempt, output.filename);
  } catch (error) {
    if (error instanceof AppError && error.code === 'image_not_found') return undefined;
    throw error;
  }
}
