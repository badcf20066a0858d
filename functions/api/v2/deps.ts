// What the Comfy API v2 is given beside what all façades are.

import type { JobState } from '../../core/job.ts';
import type { FacadeDeps } from '../facade/deps.ts';

export interface V2Deps extends FacadeDeps {
  /** Makes the outputs of a job assets, once. */
  mintOutputs(state: JobState): Promise<void>;
  /** Of links to follow, with the path that a proxy before us strips: `/comfy/api/v2`. */
  prefix: string;
}
