// What a façade is given: the parts of the API that all of them share.

import type { AcceptDeps } from '../admission/accept.ts';
import type { Derived } from '../admission/derived.ts';
import type { UploadQuota } from '../admission/upload-quota.ts';
import type { Watch } from '../caches/watch.ts';
import type { OpenConnections } from '../http/open-connections.ts';
import type { Readers } from '../http/readers.ts';

export interface FacadeDeps extends AcceptDeps {
  derived: Derived;
  uploadQuota: UploadQuota;
  watch: Watch;
  openConnections: OpenConnections;
  readers: Readers;
}
