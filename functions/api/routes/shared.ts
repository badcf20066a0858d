// What the routes share, made once an app (app.ts) from its dependencies.

import type { AcceptDeps } from '../admission/accept.ts';
import type { Derived } from '../admission/derived.ts';
import type { Reads } from '../admission/limit-reads.ts';
import type { UploadQuota } from '../admission/upload-quota.ts';
import type { Totals } from '../caches/totals.ts';
import type { Watch } from '../caches/watch.ts';
import type { OpenConnections } from '../http/open-connections.ts';
import type { Readers } from '../http/readers.ts';
import type { RequestCounts } from '../http/request-counts.ts';

export interface Shared extends AcceptDeps {
  derived: Derived;
  reads: Reads;
  totals: Totals;
  uploadQuota: UploadQuota;
  watch: Watch;
  openConnections: OpenConnections;
  readers: Readers;
  requests: RequestCounts;
}
