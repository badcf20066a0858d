// Fair queueing: whose job comes next where several owners wait. Start-time fair queueing with a turn as the start tag:
// an owner's next job comes one step after its last, and a newcomer where the queue stands, so that a long queue delays
// its own owner only. A turn is a place in an order, no time; where nothing waits, the clock says where the queue stands.
// Pure; the owner's last turn lies in its item (store/owners.ts), what waits is read in api/admission/virtual-time.ts.

/** Of one owner's turns: more than what clocks and looks at the queue differ by, and 13 digits last for 10⁸ jobs. */
export const STEP = 10_000;
/** The index of waiting jobs may lag by so much, ms. */
export const INDEX_LAG = 1000;

/** An owner's last turn, and when it was given, ms. */
export interface LastStartTag {
  startTag: number;
  at: number;
}

export interface VirtualTime {
  /** Where the queue stands: the turn of a newcomer. */
  startTag: number;
  /** Turns given before this moment are history: nothing waited at it. 0 while anything waits. */
  forgetBefore: number;
}

/** What one look at the queue saw; ms and turns. */
export interface QueueSnapshot {
  at: number;
  /** The first that waits. */
  head?: number | undefined;
  /** Of the jobs that hosts hold. It holds the level up where the head is a job that came back, or that no host can run. */
  maxStartTagInService?: number | undefined;
}

/** @param before the level of an earlier look: it never sinks */
export function virtualTimeOf(snapshot: QueueSnapshot, now: number, before = 0): VirtualTime {
  const standing = Math.max(before, snapshot.maxStartTagInService ?? 0);
  return snapshot.head === undefined
    ? { startTag: Math.max(standing, now), forgetBefore: snapshot.at - INDEX_LAG }
    : { startTag: Math.max(standing, snapshot.head), forgetBefore: 0 };
}

export function follows(last: LastStartTag | undefined, virtualTime: VirtualTime): last is LastStartTag {
  return (
    last !== undefined && last.at >= virtualTime.forgetBefore && last.startTag + STEP > virtualTime.startTag
  );
}

/** Set once, when a job is accepted. */
export function nextStartTag(last: LastStartTag | undefined, virtualTime: VirtualTime): number {
  return follows(last, virtualTime) ? last.startTag + STEP : virtualTime.startTag;
}
