// What RunPod's endpoints are given beside what all façades are.

import type { Totals } from '../caches/totals.ts';
import type { FacadeDeps } from '../facade/deps.ts';

export interface RunpodDeps extends FacadeDeps {
  totals: Totals;
}
