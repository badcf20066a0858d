// Fair queueing between owners by start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996), with each job of equal cost:
// an owner's next start tag is one step after its last, or the virtual time if that is later, so that a long queue delays
// its own owner only. A start tag is a place in an order, not a time; virtual time follows the clock while nothing waits.
// Pure: store/owners.ts keeps an owner's last start tag, api/admission/virtual-time.ts reads the queue.

/** Between an owner's start tags: more than clocks and reads of the queue differ by; 13 digits last for 10⁸ jobs. */
export const STEP = 10_000;
/** How far the index of waiting jobs may lag, ms. */
export const INDEX_LAG = 1000;

/** An owner's last start tag, and when it was given, ms. */
export interface LastStartTag {
  startTag: number;
  at: number;
}

export interface VirtualTime {
  /** The virtual time itself: the start tag of an owner without waiting jobs. */
  startTag: number;
  /** Start tags given before this moment are forgotten, since nothing waited at it. 0 while anything waits. */
  forgetBefore: number;
}

/** What one read of the queue saw. `at` in ms, the others start tags. */
export interface QueueSnapshot {
  at: number;
  /** Of the first waiting job. */
  head?: number | undefined;
  /** Of the held jobs. It keeps virtual time up where the head is a requeued or an unrunnable job. */
  maxStartTagInService?: number | undefined;
}

/** @param before the virtual time of the last snapshot: it never falls */
export function virtualTimeOf(snapshot: QueueSnapshot, now: number, before = 0): VirtualTime {
  const standing = Math.max(before, snapshot.maxStartTagInService ?? 0);
  return snapshot.head === undefined
    ? { startTag: Math.max(standing, now), forgetBefore: snapshot.at - INDEX_LAG }
    : { startTag: Math.max(standing, snapshot.head), forgetBefore: 0 };
}

/** Must the owner's next start tag follow its last, rather than take the virtual time? */
export function follows(last: LastStartTag | undefined, virtualTime: VirtualTime): last is LastStartTag {
  return (
    last !== undefined && last.at >= virtualTime.forgetBefore && last.startTag + STEP > virtualTime.startTag
  );
}

/** The start tag of a job when it is accepted. */
export function nextStartTag(last: LastStartTag | undefined, virtualTime: VirtualTime): number {
  return follows(last, virtualTime) ? last.startTag + STEP : virtualTime.startTag;
}
