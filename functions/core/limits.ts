// The numbers of the protocol, each in one place: counts, sizes, and times that nobody makes shorter (those that tests and
// chaos do are in timings.ts). Source: docs/architecture.md, "Numbers". Milliseconds unless the name says otherwise.

import { TIMINGS } from './timings.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** All keys that there may be are looked at again for jobs that nobody else looks for. */
export const ALL_SHARDS_READ_EVERY = HOUR;
export const MAX_SHARDS = 32;
/** Looks of so many hosts ask one key for a quarter of what a partition gives: `npm run simulate`. */
export const HOSTS_PER_SHARD = 1000;
/** A host's item is forgotten when nobody has heard of it for this long. */
export const HOST_FORGOTTEN_AFTER = HOUR;
/** Longer than a host lives; it removes it itself. */
export const INTAKE_KEPT = 365 * DAY;

export const SLOTS_PER_HOST = 2;
export const SIGNATURE_SKEW = 5 * MINUTE;

/** A host claims without its warm-up when that has not ended: a large model is read from a disk in a minute. */
export const WARM_UP_LIMIT = 4 * MINUTE;

/** ComfyUI is stuck when the head of its queue has not moved for so long. */
export const COMFYUI_STUCK = {
  idle: 2 * MINUTE,
  least: 2 * MINUTE,
  times: 3,
  deadline: 10 * MINUTE,
  unknown: HOUR,
};

/**
 * A host that is stopped waits so long for the end of a prompt in a ComfyUI that cannot be followed, and for images that
 * are not to be had or stored. What runs, runs to its end.
 */
export const DRAIN_WAITS = { followed: MINUTE, stored: 5 * MINUTE };

export const JOB_EXPIRES_AFTER = DAY;
/** A controller ends none before it has looked for so long: after a start, only the clock on the wall says how old a job is. */
export const EXPIRY_SEEN_FOR = HOUR;
export const JOB_KEPT = 30 * DAY;

/** An upload that is used is put again when it is older than this, so that it stays as long after its last use. */
export function uploadRenewal(keep: number): number {
  return keep / 30;
}

/** Attempts that had started and were lost: the third ends the job. */
export const MAX_LOST_ATTEMPTS = 3;
/** Attempts that were lost, or ended with their host: the twentieth is the last. What ComfyUI did not start is none. */
export const MAX_STRIKES = 20;
/** A job that came back is tried again after so long, twice as long each time, up to the longest. */
export const RETRIED_AFTER = SECOND;
export const LONGEST_RETRY = MINUTE;

export const MAX_WAITING = 10_000;
export const MAX_QUEUE_POSITION = 100;
/** Graphs up to this many compressed bytes lie in the request part, larger ones in the bucket. */
export const GRAPH_INLINE_BYTES = 8 * 1024;

/** A start is told when it has lasted so long: a shorter job is told with its end, which saves a write. */
export const START_REPORTED_AFTER = 100;
export const LINK_LIFETIME_SECONDS = 900;

/** When an event stream that was closed should be asked for again. */
export const FOLLOWER_RETURNS_AFTER = 2 * SECOND;
/** Requests that one process holds at once: streams of events, and those that wait for a change. */
export const OPEN_CONNECTIONS = 200;
/** A stream is closed then, and may be asked for again: whoever takes nothing of it must not keep its place. */
export const OPEN_AT_MOST = HOUR;
export const MAX_WAIT_SECONDS = 25;
/** Images that one process sends at the same time, each over a connection to the bucket of its own. */
export const IMAGE_READERS = 200;

/** A table's item holds 400 KB; an image's record takes some 200 bytes of it. */
export const MAX_IMAGES_PER_JOB = 1000;
/** An image that a node saved; one whose length ComfyUI does not say is held whole, and may have an eighth of it. */
export const MAX_IMAGE_BYTES = 512 * 1024 * 1024;
/** Whoever sends nothing for so long is not waited for. */
export const IDLE_AFTER = MINUTE;

export const MAX_BODY_BYTES = 256 * 1024;
export const MAX_UPLOAD_BYTES = 4 * 1024 * 1024;
export const MAX_UPLOAD_PIXELS = 16_000_000;
export const MAX_TEXT = 10_000;
/** Whole numbers as ComfyUI's nodes have them: signed ones, and seeds of 64 bits. */
export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 64n - 1n;
export const MAX_SEED = MAX_INTEGER;
/** Of seeds that are drawn: every client can read them. */
export const MAX_DRAWN_SEED = Number.MAX_SAFE_INTEGER;

export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1000;
export const COUNT_EXACT_TO = 1000;

// Webhooks.

export const MAX_WEBHOOK_URL = 2000;
/** In all: the name is looked up, the answer read. */
export const WEBHOOK_LIMIT = 5 * SECOND;
/** Whoever claims a delivery has so long to send it; then another may. */
export const WEBHOOK_LEASE = 30 * SECOND;
/** Then it is given up. */
export const WEBHOOK_TRIED_FOR = DAY;

// Scaling. Source: `npm run simulate`, which shows what each costs and gains.

/** On AWS the controller makes a round so often. */
export const SCALE_EVERY = MINUTE;
/** A gap between two rounds that is longer is one in which nobody watched: nothing is held against a host for it. */
export const UNWATCHED_AFTER = 5 * MINUTE;
/** So many hosts that all that waits would be done in this time: about what a start takes, since a host that comes later
 * than that finds nothing left. */
export const BACKLOG_DONE_WITHIN = 5 * MINUTE;
export const RAISE_COOLDOWN = 2 * MINUTE;
/** An instance without a host that works for this long is ended: the worst money leak. */
export const HOST_START_LIMIT = 15 * MINUTE;
/** So many in a row that never came up: no more are started. */
export const MAX_FAILED_STARTS = 2;
export const START_TRIED_AGAIN_AFTER = HOUR;
export const REFUSED_RAISE_TRIED_AGAIN_AFTER = 5 * MINUTE;
/** What another zone or moment may have is left to Auto Scaling for so long, which tries them one after the other. */
export const LAUNCH_TRIED_FOR = 15 * MINUTE;
/** What AWS could not launch is tried again after a share of the time for which it has failed, within these bounds. */
export const LAUNCH_TRIED_AGAIN = { share: 1 / 4, soonest: 2 * MINUTE, latest: 15 * MINUTE };
/** Where spot hosts are not to be had for so long, hosts on demand are started instead. */
export const SPOT_GIVEN_UP_AFTER = 5 * MINUTE;
/** A host process that restarts is back by then; until then it counts. */
export const HOST_RESTARTS_WITHIN = 2 * MINUTE;
/** What runs may run for an hour; whoever drains for longer hangs. */
export const HOST_DRAIN_LIMIT = TIMINGS.jobLimit + 15 * MINUTE;
/** Until hosts have measured it. */
export const JOB_SECONDS_GUESS = 45;
export const START_SECONDS_GUESS = 300;
/** A job that no host could run is believed to be so for this long: models may have been added since. */
export const UNRUNNABLE_FOR = 6 * HOUR;
export const FLEET_REMEMBERED = 30 * DAY;
