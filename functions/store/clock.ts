// The tables' clock: this process's, corrected by the Date header of DynamoDB's answers, so that times written by
// machines whose clocks disagree can be compared. A header has whole seconds: each answer bounds the offset from
// below and above, and an offset is only believed as far as the bounds force it. A process that lives long counts by a
// clock that nobody sets. Where the table's is set, that is told, and one that was set back is waited for.

export interface Clock {
  /** Milliseconds since 1970, as the tables count them. */
  now(): number;
}

export interface TableClock extends Clock {
  /** @param date the header; `sentAt` and `receivedAt` are local, in ms */
  observe(date: string | undefined, sentAt: number, receivedAt: number): void;
  /** Calls `tell` at each jump of the table's clock, with how far it went, ms. */
  onJump(report: (by: number) => void): void;
}

/** Bounds older than this are dropped, since clocks drift and are set. */
const MEMORY = 60_000;
/** Node's own servers stamp answers from a clock that they read once a second. */
const HEADER_LAG = 1000;
/** What is less is the correction of a drift, and told to nobody. */
const JUMP = 10_000;
/** While time waits for a clock that was set back it goes so much slower. */
const PACE = 0.5;

const startedAt = Date.now() - performance.now();

/** What the clock on the wall said at the start, and the time that has passed since: nobody sets it. */
export function steadyClock(): number {
  return startedAt + performance.now();
}

/**
 * @param local ms
 * @param steady whether `local` never jumps: then whatever else jumps is the table's. One that may be set, as a Lambda's,
 *   is followed both ways
 */
export function createTableClock(
  local: () => number = steadyClock,
  steady = local === steadyClock,
): TableClock {
  let low = -Infinity;
  let high = Infinity;
  let boundsSince = -Infinity;
  /** Answers to what was sent before tell of a clock that has been set since. */
  let setAt = -Infinity;
  /** How far time was ahead of the table's clock when that was last set back. */
  let ahead = 0;
  let report: (by: number) => void = () => undefined;

  const corrected = (at: number) => at + Math.min(Math.max(0, low), high);
  const shown = (at: number) => corrected(at) + Math.max(0, ahead - (at - setAt) * PACE);

  function follow(atLeast: number, atMost: number, at: number): void {
    const before = { corrected: corrected(at), shown: shown(at) };
    low = atLeast;
    high = atMost;
    boundsSince = at;
    if (!steady) return;
    const by = corrected(at) - before.corrected;
    ahead = Math.max(0, before.shown - corrected(at));
    setAt = at;
    if (Math.abs(by) > JUMP) report(by);
  }

  return {
    now: () => Math.round(shown(local())),
    observe(date, sentAt, receivedAt) {
      const server = Date.parse(date ?? '');
      if (Number.isNaN(server) || sentAt < setAt) return;
      // When it answered, the table's clock stood between `server` and a second (and the lag) after it.
      const atLeast = server - receivedAt;
      const atMost = server + 1000 + HEADER_LAG - sentAt;
      if (atLeast > high || atMost < low) return follow(atLeast, atMost, receivedAt);
      if (receivedAt - boundsSince > MEMORY || receivedAt < boundsSince) {
        low = atLeast;
        high = atMost;
        boundsSince = receivedAt;
        return;
      }
      low = Math.max(low, atLeast);
      high = Math.min(high, atMost);
    },
    onJump(listener) {
      report = listener;
    },
  };
}
