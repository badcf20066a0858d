// The times by which processes judge each other and wait for each other, as one dependency: whoever is built takes a
// `Timings`, and programs have these defaults. Tests and chaos inject shorter ones. Counts, sizes, and times that no test
// makes shorter are in limits.ts.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds. */
export const TIMINGS = {
  /** A host writes its item. */
  heartbeatEvery: 5 * SECOND,
  /** Its last heartbeat is so old: its jobs go back to the queue. Several heartbeats may be lost before. */
  hostDeadAfter: 45 * SECOND,
  /** A host looks for waiting jobs, and at its ComfyUI's queue and the state of what it holds. */
  hostPollsEvery: SECOND,
  /** Before a host asks a table, bucket or ComfyUI again that failed; twice as long each time, up to the longest. */
  hostPausesFor: 250,
  hostPausesAtMost: 5 * SECOND,

  /** A call of ComfyUI ends without an answer. */
  comfyuiAnswersWithin: 10 * SECOND,
  /** Between two tries to open its WebSocket, at most: polling tells the same a second later. */
  comfyuiReconnectsWithin: 5 * SECOND,
  /** A connection that died on the way says nothing for ever; one that lives answers this, between two nodes at least. */
  comfyuiPingEvery: 30 * SECOND,
  /** What ComfyUI has is read again: a person may have added a model. */
  inventoryEvery: MINUTE,
  /** A ComfyUI that is silent for so long is not waited for: what has not started there goes elsewhere. */
  comfyuiSilentAfter: 15 * SECOND,
  /** One that takes connections and answers none: a node may hold its interpreter, and what is thought to wait may run. */
  comfyuiHeldAfter: 2 * MINUTE,

  /** A job without progress for so long has hung; a template may set its own. */
  jobDeadline: 10 * MINUTE,
  /** Of running, in one attempt. While its machine sleeps or is gone, and while it waits to start again, it does not run. */
  jobLimit: HOUR,
  /** A running attempt writes its progress at most so often: each is a write that costs. */
  progressEvery: SECOND,

  /** An offer to a host, and a nudge of the forwarder, is given up: both are found by polling too. */
  offerTimeout: 2 * SECOND,
  /** How many hosts there are, and over how many keys their queue is spread, changes slowly and is read again. */
  spreadReadEvery: MINUTE / 2,
  /** So long after a change was written everybody knows of it: longer than a reading is kept and a request takes. */
  spreadKnownAfter: 3 * MINUTE,

  /** DynamoDB has not answered, or its answer broke off: the SDK asks again. */
  tableAnswersWithin: 10 * SECOND,
  /** Nothing was sent or taken on a connection to the bucket: it is closed, since sockets are few. */
  bucketIdleAfter: MINUTE,

  /** Jobs that somebody follows are read, all at once. */
  watchEvery: SECOND,
  /** Nobody who follows hears nothing for longer: proxies give up (infra/compose's after 30 s), and a key may be revoked. */
  followerHearsEvery: 10 * SECOND,
};

export type Timings = Readonly<Record<keyof typeof TIMINGS, number>>;

/** Whoever wakes with the whole machine judges nobody before all had so long to show that they live. */
export function showsLifeWithin({ heartbeatEvery }: Pick<Timings, 'heartbeatEvery'>): number {
  return 2 * heartbeatEvery;
}
