// What a job made, as worker-comfyui answers it: each file as base64 or as a link, by the setting RUNPOD_OUTPUT.

import { inTurn } from '../../core/in-turn.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { MB } from '../../core/quota.ts';
import { type RunpodFile, type RunpodOutput, runpodOutput } from '../../core/runpod-view.ts';
import { wholeOutput } from '../http/whole-output.ts';
import { linkOfOutput } from '../http/output-link.ts';
import type { RunpodDeps } from './deps.ts';

/** Of one answer's files, before they are in base64. */
const MAX_INLINE_BYTES = 32 * MB;
/** Answers that hold files in memory while they are made. */
const INLINE_AT_ONCE = 4;

export function outputReader(deps: RunpodDeps) {
  const { settings } = deps;
  const inMemory = inTurn(INLINE_AT_ONCE);

  async function linked(state: JobState, output: JobOutput, origin: string | undefined): Promise<RunpodFile> {
    const data = await linkOfOutput(deps, state, output, origin);
    return { filename: output.filename, type: 's3_url', data };
  }

  async function inline(state: JobState, origin: string | undefined): Promise<RunpodOutput> {
    const made: [JobOutput, RunpodFile][] = [];
    const errors: string[] = [];
    let left = MAX_INLINE_BYTES;
    for (const output of state.outputs ?? []) {
      const { filename, sizeBytes } = output;
      const bytes = await wholeOutput(deps, state, output, left);
      if (bytes) made.push([output, { filename, type: 'base64', data: bytes.toString('base64') }]);
      else {
        made.push([output, await linked(state, output, origin)]);
        errors.push(`${filename} is a link: one answer holds ${MAX_INLINE_BYTES / MB} MB`);
      }
      left -= bytes ? sizeBytes : 0;
    }
    return runpodOutput(made, errors);
  }

  return async (state: JobState, origin: string | undefined): Promise<RunpodOutput> => {
    if (settings.runpodOutput !== 's3_url') return inMemory(() => inline(state, origin));
    const links = (state.outputs ?? []).map(async (output): Promise<[JobOutput, RunpodFile]> => [
      output,
      await linked(state, output, origin),
    ]);
    return runpodOutput(await Promise.all(links), []);
  };
}
