// Fair queueing: whose job comes next where several owners wait. Start-time fair queueing with a turn as the start tag:
// an owner's next job comes one step after its last, and a newcomer where the queue stands, so that a long queue delays
// its own owner only. A turn is a place in an order, no time; where nothing waits, the clock says where the queue stands.
// Pure; the owner's last turn lies in its item (store/owners.ts), what waits is read in api/admission/level.ts.

/** Of one owner's turns: more than what clocks and looks at the queue differ by, and 13 digits last for 10⁸ jobs. */
export const STEP = 10_000;
/** The index of waiting jobs may lag by so much, ms. */
export const INDEX_LAG = 1000;

/** An owner's last turn, and when it was given, ms. */
export interface Last {
  turn: number;
  at: number;
}

export interface Level {
  /** Where the queue stands: the turn of a newcomer. */
  turn: number;
  /** Turns given before this moment are history: nothing waited at it. 0 while anything waits. */
  forgetBefore: number;
}

/** What one look at the queue saw; ms and turns. */
export interface Look {
  at: number;
  /** The first that waits. */
  head?: number | undefined;
  /** Of the jobs that hosts hold. It holds the level up where the head is a job that came back, or that no host can run. */
  furthestHeld?: number | undefined;
}

/** @param before the level of an earlier look: it never sinks */
export function levelOf(look: Look, now: number, before = 0): Level {
  const standing = Math.max(before, look.furthestHeld ?? 0);
  return look.head === undefined
    ? { turn: Math.max(standing, now), forgetBefore: look.at - INDEX_LAG }
    : { turn: Math.max(standing, look.head), forgetBefore: 0 };
}

export function follows(last: Last | undefined, level: Level): last is Last {
  return last !== undefined && last.at >= level.forgetBefore && last.turn + STEP > level.turn;
}

/** Set once, when a job is accepted. */
export function nextTurn(last: Last | undefined, level: Level): number {
  return follows(last, level) ? last.turn + STEP : level.turn;
}
