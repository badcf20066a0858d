// The numbers of the protocol, each in one place: counts, sizes, and times that stay as they are (those that tests and chaos
// shorten are in timings.ts). Source: docs/architecture.md, "Numbers". Milliseconds unless the name says otherwise.

import { TIMINGS } from './timings.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** All possible shards are read this often, for jobs under one that hosts do not read. */
export const ALL_SHARDS_READ_EVERY = HOUR;
export const MAX_SHARDS = 32;
/** Polls of this many hosts take a quarter of a partition's read capacity: `npm run simulate`. */
export const HOSTS_PER_SHARD = 1000;
/** A host's item expires when it has had no heartbeat for this long. */
export const HOST_FORGOTTEN_AFTER = HOUR;
/** Longer than a host lives; the host removes its intake itself. */
export const INTAKE_KEPT = 365 * DAY;

export const SLOTS_PER_HOST = 2;
export const SIGNATURE_SKEW = 5 * MINUTE;

/** After this a host claims although its warm-up has not ended: a large model takes a minute to read from a disk. */
export const WARM_UP_LIMIT = 4 * MINUTE;

/** ComfyUI is stuck when the head of its queue has not moved for this long: see host/prompts/stuck.ts. */
export const COMFYUI_STUCK = {
  idle: 2 * MINUTE,
  least: 2 * MINUTE,
  times: 3,
  deadline: 10 * MINUTE,
  unknown: HOUR,
};

/**
 * How long a draining host waits for a prompt whose ComfyUI does not answer, and for images that cannot be read or stored.
 * A running prompt that can be followed runs to its end.
 */
export const DRAIN_WAITS = { followed: MINUTE, stored: 5 * MINUTE };

export const JOB_EXPIRES_AFTER = DAY;
/** A controller expires no job before it has run this long: after a start it knows a job's age by the wall clock only. */
export const EXPIRY_SEEN_FOR = HOUR;
export const JOB_KEPT = 30 * DAY;

/** An upload older than this is written again when it is used, so that it is kept after its last use. @param keep ms */
export function uploadRenewal(keep: number): number {
  return keep / 30;
}

/** Attempts that had started and were lost: the third ends the job. */
export const MAX_LOST_ATTEMPTS = 3;
/** Attempts that were lost, or ended with their host: the twentieth ends the job. A release does not count. */
export const MAX_STRIKES = 20;
/** Wait after a spaced release, doubled each time up to LONGEST_RETRY. */
export const RETRIED_AFTER = SECOND;
export const LONGEST_RETRY = MINUTE;

/** A host passes a waiting job over so often for others whose models its ComfyUI has loaded: core/affinity.ts. */
export const PASSED_OVER_AT_MOST = 16;

export const MAX_WAITING = 10_000;
export const MAX_QUEUE_POSITION = 100;
/** Graphs up to this many compressed bytes are stored in the request part, larger ones in the bucket. */
export const GRAPH_INLINE_BYTES = 8 * 1024;

/** A start is written after this long: the end of a shorter job includes it, which saves a write. */
export const START_REPORTED_AFTER = 100;
export const LINK_LIFETIME_SECONDS = 900;

/** When a client should reconnect a closed event stream. */
export const FOLLOWER_RETURNS_AFTER = 2 * SECOND;
/** A larger one is left out of an event stream: each of its readers may keep a few. ComfyUI's own have 512 pixels, a fifth of it. */
export const PREVIEW_BYTES = 256 * 1024;
/** Where the host is in another process: how often it stores one and a reader looks for it. */
export const PREVIEW_STORED_EVERY = 2 * SECOND;
/** A reader says so often that it looks, for so long: a host whose reader is gone stores some seconds more. */
export const PREVIEWS_ASKED_EVERY = 20 * SECOND;
export const PREVIEWS_ASKED_FOR = 30 * SECOND;
/** One that was stored longer ago is of what went before. */
export const PREVIEW_FRESH = 10 * SECOND;
/** Open connections of one process: event streams and long polls. */
export const OPEN_CONNECTIONS = 200;
/** Open sockets of ComfyUI's wire in one process, and those of one owner. */
export const SOCKETS = 1000;
export const SOCKETS_PER_OWNER = 100;
/** A stream is closed after this, and may be reconnected: a client that reads nothing must not keep its slot. */
export const OPEN_AT_MOST = HOUR;
export const MAX_WAIT_SECONDS = 25;
/** Images that one process sends at the same time, each over its own connection to the bucket. */
export const IMAGE_READERS = 200;

/** A table's item holds 400 KB; an output's record takes some 300 bytes of it. */
export const MAX_OUTPUTS_PER_JOB = 1000;
/** Of a file of any other type. */
export const MAX_FILE_BYTES = 8 * 1024 * 1024 * 1024;
/** Of one saved image. Where ComfyUI sends no length it is buffered whole, and may have an eighth of this. */
export const MAX_IMAGE_BYTES = 512 * 1024 * 1024;
/** A larger output is answered by its link to S3: a Lambda streams 200 MB at most. */
export const MAX_STREAMED_BYTES = 100 * 1024 * 1024;
/** A transfer that brings nothing for this long is aborted. */
export const IDLE_AFTER = MINUTE;

/** Of one job; the Comfy API v2's. */
export const MAX_LABELS = 16;
export const MAX_LABEL_BYTES = 256;

export const MAX_BODY_BYTES = 256 * 1024;
/** Of a canvas file, or a picture with one in it, that a workflow is made of. */
export const MAX_WORKFLOW_FILE_BYTES = 10 * 1024 * 1024;
export const MAX_UPLOAD_BYTES = 4 * 1024 * 1024;
export const MAX_UPLOAD_PIXELS = 16_000_000;
/** Of a file of any type that is uploaded for graphs, by the Comfy API v2 and ComfyUI's wire. */
export const MAX_ASSET_BYTES = 100 * 1024 * 1024;
/** Of a file that is put by a link: S3 takes no more at once. */
export const MAX_LINKED_BYTES = 5 * 1024 * 1024 * 1024;
/** A file whose link has ended may come for so long. */
export const LINKED_WITHIN = HOUR;
/** Bodies by links that one process takes at the same time. */
export const UPLOADS_AT_ONCE = 32;
/** Of an input that is named by an address: all of a job's within FETCHED_WITHIN. */
export const MAX_FETCHED_BYTES = 100 * 1024 * 1024;
export const FETCHED_WITHIN = 30 * SECOND;
export const FETCHES_AT_ONCE = 8;
export const MAX_INPUT_URL = 2000;
/** Files that one job reads: its request lies in one item of a table. */
export const MAX_INPUTS = 1000;
export const MAX_TEXT = 10_000;
/** The range of ComfyUI's whole numbers: signed ones, and seeds of 64 bits. */
export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 64n - 1n;
export const MAX_SEED = MAX_INTEGER;
/** For drawn seeds, so that every client can read them. */
export const MAX_DRAWN_SEED = Number.MAX_SAFE_INTEGER;

export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1000;
export const COUNT_EXACT_TO = 1000;

// Webhooks.

export const MAX_WEBHOOK_URL = 2000;
/** For the whole request: name lookup, connection and answer. */
export const WEBHOOK_LIMIT = 5 * SECOND;
/** A process that claimed a delivery may send it for this long; then another may. */
export const WEBHOOK_LEASE = 30 * SECOND;
/** Then a delivery is given up. */
export const WEBHOOK_TRIED_FOR = DAY;

// Scaling. Source: `npm run simulate`, which shows what each costs and gains.

/** The controller's interval on AWS. */
export const SCALE_EVERY = MINUTE;
/** A longer gap between rounds is unobserved: it counts against no instance. */
export const UNWATCHED_AFTER = 5 * MINUTE;
/** Enough hosts are started to finish the backlog within this time: about the length of a start, since a host that came
 * later would find nothing left. */
export const BACKLOG_DONE_WITHIN = 5 * MINUTE;
export const RAISE_COOLDOWN = 2 * MINUTE;
/** An instance without a working host for this long is terminated: nothing wastes more money. */
export const HOST_START_LIMIT = 15 * MINUTE;
/** After this many consecutive failed starts no more are started. */
export const MAX_FAILED_STARTS = 2;
export const START_TRIED_AGAIN_AFTER = HOUR;
export const REFUSED_RAISE_TRIED_AGAIN_AFTER = 5 * MINUTE;
/** Auto Scaling tries zone after zone this long for missing capacity; then the request is withdrawn. */
export const LAUNCH_TRIED_FOR = 15 * MINUTE;
/** A failed launch is repeated after a share of the time for which launches have failed, within these bounds (ms). */
export const LAUNCH_TRIED_AGAIN = { share: 1 / 4, soonest: 2 * MINUTE, latest: 15 * MINUTE };
/** After this long without spot capacity, on-demand hosts are started instead. */
export const SPOT_GIVEN_UP_AFTER = 5 * MINUTE;
/** A restarting host process is back by then; until then it counts as working. */
export const HOST_RESTARTS_WITHIN = 2 * MINUTE;
/** A job may run for an hour; a host that drains for longer hangs. */
export const HOST_DRAIN_LIMIT = TIMINGS.jobLimit + 15 * MINUTE;
/** Assumed until hosts have measured it. */
export const JOB_SECONDS_GUESS = 45;
export const START_SECONDS_GUESS = 300;
/** How long a job counts as unrunnable: models may have been added since. */
export const UNRUNNABLE_FOR = 6 * HOUR;
export const FLEET_REMEMBERED = 30 * DAY;

// Graphs that callers send. ComfyUI recurses once for each link of a chain, and ends with an error between 900 and 1000.

export const MAX_GRAPH_BYTES = 4 * 1024 * 1024;
/** Real graphs have a few hundred; these take a tenth of a second for each inventory. */
export const MAX_GRAPH_NODES = 2000;
/** Inventories of the last hosts, which usually have the same. */
export const REMEMBERED_INVENTORIES = 4;
/** Levels of objects and lists: copying and writing a graph recurse. No real graph comes near this. */
export const MAX_GRAPH_NESTING = 100;
/** Nodes that one output needs one after the other. */
export const MAX_GRAPH_CHAIN = 500;
