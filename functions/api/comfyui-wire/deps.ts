// What ComfyUI's wire is given: the parts of the API that both share.

import type { AcceptDeps } from '../admission/accept.ts';
import type { Readers } from '../http/readers.ts';

export interface WireDeps extends AcceptDeps {
  readers: Readers;
}
