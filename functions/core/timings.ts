// Intervals and timeouts between processes, as one dependency with these defaults. Tests and chaos inject shorter ones.
// Counts, sizes, and times that no test shortens are in limits.ts.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds. */
export const TIMINGS = {
  /** Interval of a host's heartbeats. */
  heartbeatEvery: 5 * SECOND,
  /** A host without a heartbeat for this long is dead, and its jobs are swept. Several heartbeats may be lost before. */
  hostDeadAfter: 45 * SECOND,
  /** Interval of a host's polls: waiting jobs, ComfyUI's queue, the state of its held jobs. */
  hostPollsEvery: SECOND,
  /** A host's first wait before it repeats a failed call of table, bucket or ComfyUI; doubled up to the next. */
  hostPausesFor: 250,
  hostPausesAtMost: 5 * SECOND,

  /** Timeout of a call to ComfyUI. */
  comfyuiAnswersWithin: 10 * SECOND,
  /** The longest wait before its WebSocket is opened again: polling brings the same a second later. */
  comfyuiReconnectsWithin: 5 * SECOND,
  /** Interval of pings, by which a dead connection is found; a live one answers, at least between two nodes. */
  comfyuiPingEvery: 30 * SECOND,
  /** Interval at which the inventory is read again: a person may have added a model. */
  inventoryEvery: MINUTE,
  /** Without an inventory the host claims jobs that another host could run better: it is awaited so long. */
  inventoryAwaitedFor: 10 * SECOND,
  /** After this silence of ComfyUI, jobs that have not started there are released. */
  comfyuiSilentAfter: 15 * SECOND,
  /** The same for one that accepts connections and answers none: a node may block its interpreter, and a waiting job may run. */
  comfyuiHeldAfter: 2 * MINUTE,

  /** Interval at which a host puts what its ended jobs came to, where some have ended. */
  ledgerPutEvery: 15 * SECOND,

  /** A job without progress for this long is stalled; a template may set its own. */
  jobDeadline: 10 * MINUTE,
  /** Running time of one attempt; time in which its machine sleeps or it waits does not count. */
  jobLimit: HOUR,
  /** The shortest interval of progress writes, which are charged. */
  progressEvery: SECOND,

  /** Timeout of an offer and of a nudge: polling finds the job as well. */
  offerTimeout: 2 * SECOND,
  /** Interval at which the number of hosts and of shards, which change slowly, is read again. */
  spreadReadEvery: MINUTE / 2,
  /** After this, every process knows a new number of shards: longer than a cached read plus a request. */
  spreadKnownAfter: 3 * MINUTE,

  /** Timeout of a call to DynamoDB, which the SDK then repeats. */
  tableAnswersWithin: 10 * SECOND,
  /** A connection to the bucket idle for this long is closed, since sockets are few. */
  bucketIdleAfter: MINUTE,

  /** Interval at which followed jobs are read, in one batch. */
  watchEvery: SECOND,
  /** The longest silence of an event stream: proxies close idle ones (infra/compose's after 30 s). Keys are checked again too. */
  followerHearsEvery: 10 * SECOND,
};

export type Timings = Readonly<Record<keyof typeof TIMINGS, number>>;

/** ms in which every live host writes a heartbeat: a process whose machine slept judges no host dead before. */
export function showsLifeWithin({ heartbeatEvery }: Pick<Timings, 'heartbeatEvery'>): number {
  return 2 * heartbeatEvery;
}
