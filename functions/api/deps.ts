// What the API is given: clients, settings, clock. It imports no other file of the API, so that each may import it.

import type { ServerResponse } from 'node:http';
import type { Hono, MiddlewareHandler } from 'hono';
import type { RequestIdVariables } from 'hono/request-id';
import type { Caller } from '../core/access.ts';
import type { ComfyUIKind } from '../core/job-state.ts';
import { JOB_KEPT } from '../core/limits.ts';
import type { Live } from '../core/live.ts';
import type { Inventory } from '../core/object-info.ts';
import type { OwnerLimits } from '../core/quota.ts';
import type { Workflows } from '../core/template.ts';
import type { Timings } from '../core/timings.ts';
import type { Codec } from '../images/codec/order.ts';
import type { Images } from '../images/images.ts';
import type { Presigner } from '../images/links.ts';
import type { Log } from '../log.ts';
import type { Fetch } from '../outbound/fetch.ts';
import type { Tables } from '../store/open.ts';

export interface ApiDeps extends Tables {
  images: Images;
  /** What callers read, over connections of its own: the rest must not wait for how slowly they do. */
  servedImages: Pick<Images, 'get'>;
  presigner: Presigner;
  workflows: Workflows;
  log: Log;
  timings?: Timings | undefined;
  /** The tables' clock, ms. */
  now(): number;
  random(bytes: number): Uint8Array;
  /** Notifies the forwarder of an accepted job. Best effort; must not throw. */
  nudge(jobId: string): void;
  /** Calls `listener` after each write to a job by this process. Absent: changes are only found by polls. */
  changes?(listener: (jobId: string) => void): void;
  /** What jobs show while hosts in this process run them. Absent: hosts are others, and it comes by the bucket. */
  live?: Pick<Live, 'listen'>;
  /** Notifies the webhook deliverer that one is due. Best effort; must not throw. */
  webhookDue?(): void;
  /** Sets `caller`, or throws AppError unauthorized. Absent: every caller is the owner `local`. */
  admit?: MiddlewareHandler<ApiEnv>;
  /** Of inputs that are named by an address; absent: none are. */
  fetchInput?: Fetch;
  /** Makes other images of images, on threads of its own. */
  codec: Codec;
  /** The folder with swagger-ui's files. */
  docs: string;
  /** The folder with the console's files. */
  console: string;
  /** Aborted when the process stops: open connections are closed at once. */
  stopping?: AbortSignal;
  /** Used until a host was seen. */
  recorded: Inventory;
  settings: ApiSettings;
}

export interface ApiSettings {
  /** The origin of presigned links: `request` takes the one that the request came to, `bucket` is S3 itself. */
  links: 'request' | 'bucket' | { origin: string };
  /** `*`, or the origins that a browser may call from. */
  allowedOrigins: string[];
  /** Names that it is called by beside `localhost` and addresses; asked for only where no key is. */
  allowedHosts?: readonly string[];
  /** One ComfyUI that should always answer, rather than a fleet that may sleep. */
  fixedComfyUI: boolean;
  /** What jobs are accepted for; any where it is not said. */
  comfyuiKind?: ComfyUIKind;
  maxWaiting: number;
  /** Of an owner with a key whose item says nothing else; core/quota.ts where they are not said. */
  ownerLimits?: OwnerLimits;
  /** Webhooks by plain http too, for one's own machines. */
  webhookAllowPrivate?: boolean;
  /** Requests that are held at once, and for how long at most (ms); core/limits.ts where it is not said. */
  openConnections?: number;
  openAtMost?: number;
  /** Images that are read at once; core/limits.ts where it is not said. */
  imageReaders?: number;
  /** Whether ComfyUI's wire hangs in the API too, for clients that poll. */
  polledWire?: boolean;
  /** The folder of ComfyUI's page, which ComfyUI's wire serves; absent: it serves none. */
  page?: string | undefined;
  /** Only where every request comes by HTTPS. */
  hsts?: boolean;
  /** What RunPod's clients get of a file; `base64` where it is not said. */
  runpodOutput?: 'base64' | 's3_url';
  /** How long jobs and their images are kept, ms; 30 days where it is not said. */
  keep?: number;
}

/** Milliseconds. */
export function keepOf({ settings }: ApiDeps): number {
  return settings.keep ?? JOB_KEPT;
}

/**
 * `outgoing`: what it is answered with, where Node's own server does. `requestId`: what the outer of two apps calls it.
 * `upgrade`: called where the request may become a socket, in place of an answer.
 */
export type ApiEnv = {
  Bindings:
    | {
        outgoing?: Pick<ServerResponse, 'socket' | 'once' | 'closed' | 'writableFinished'>;
        requestId?: string;
        upgrade?: (caller: Caller) => void;
      }
    | undefined;
  /** `keyInAddress`: where a client cannot set headers. */
  Variables: RequestIdVariables & { caller: Caller; keyInAddress?: string | undefined };
};
export type ApiApp = Hono<ApiEnv>;
