// What the operators' routes are given.

import type { FacadeDeps } from '../facade/deps.ts';
import type { RequestCounts } from '../http/request-counts.ts';

export interface AdminDeps extends FacadeDeps {
  requests: RequestCounts;
}
