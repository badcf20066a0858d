// What ComfyUI's wire is given, the parts of the API that both share, and what it is.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AcceptDeps } from '../admission/accept.ts';
import type { UploadQuota } from '../admission/upload-quota.ts';
import type { Watch } from '../caches/watch.ts';
import type { ApiApp } from '../deps.ts';
import type { Readers } from '../http/readers.ts';

export interface WireDeps extends AcceptDeps {
  readers: Readers;
  uploadQuota: UploadQuota;
  watch: Watch;
}

export interface Wire {
  app: ApiApp;
  /** For requests that become sockets, as Node's server gives them. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}
