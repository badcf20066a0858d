// A job as RunPod's clients read it, with what it made.

import type { JobState } from '../../core/job.ts';
import { type RunpodJob, runpodJob } from '../../core/runpod-view.ts';
import type { RunpodDeps } from './deps.ts';
import { outputReader } from './outputs.ts';

export function jobAnswers(deps: RunpodDeps) {
  const output = outputReader(deps);
  return {
    output,
    /** @param origin of links to files; undefined: S3's own */
    async whole(state: JobState, origin: string | undefined): Promise<RunpodJob> {
      return {
        ...runpodJob(state),
        ...(state.status === 'completed' && { output: await output(state, origin) }),
      };
    },
  };
}
