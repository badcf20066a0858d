// What the façade is given: the parts of the API that both share.

import type { JobState } from '../../core/job.ts';
import type { AcceptDeps } from '../admission/accept.ts';
import type { UploadQuota } from '../admission/upload-quota.ts';
import type { Watch } from '../caches/watch.ts';
import type { OpenConnections } from '../http/open-connections.ts';
import type { Readers } from '../http/readers.ts';

export interface V2Deps extends AcceptDeps {
  uploadQuota: UploadQuota;
  watch: Watch;
  openConnections: OpenConnections;
  readers: Readers;
  /** Makes the outputs of a job assets, once. */
  mintOutputs(state: JobState): Promise<void>;
  /** Of links to follow, with the path that a proxy before us strips: `/comfy/api/v2`. */
  prefix: string;
}
