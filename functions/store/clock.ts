// The tables' clock: the local clock, corrected by the Date header of DynamoDB's answers, so that times written by machines
// whose clocks disagree can be compared. A header has whole seconds: each answer bounds the offset from below and above,
// and the local clock is corrected only as far as the bounds force it. A long-lived process counts by a monotonic clock.
// A jump of the table's clock is reported; after a jump back, time goes slower until the table's clock has caught up.

export interface Clock {
  /** Milliseconds since 1970, as the tables count them. */
  now(): number;
}

export interface TableClock extends Clock {
  /** @param date the Date header; a missing or unreadable one is ignored. `sentAt` and `receivedAt` are local, ms */
  observe(date: string | undefined, sentAt: number, receivedAt: number): void;
  /** Calls `report` at each jump of the table's clock, with its distance in ms. One listener. */
  onJump(report: (by: number) => void): void;
}

/** Bounds older than this, ms, are dropped, since clocks drift and are set. */
const MEMORY = 60_000;
/** Node's HTTP servers stamp answers with a time that they read once a second. */
const HEADER_LAG = 1000;
/** A smaller change, ms, corrects a drift and is not reported. */
const JUMP = 10_000;
/** How fast time goes after the table's clock was set back, until that has caught up. */
const PACE = 0.5;

const startedAt = Date.now() - performance.now();

/** Milliseconds since 1970: the system clock at the start of the process, and the monotonic time since. */
export function steadyClock(): number {
  return startedAt + performance.now();
}

/**
 * @param local ms
 * @param steady whether `local` never jumps: then every jump is the table's. A local clock that may be set, as a Lambda's,
 *   is followed both ways
 */
export function createTableClock(
  local: () => number = steadyClock,
  steady = local === steadyClock,
): TableClock {
  let low = -Infinity;
  let high = Infinity;
  let boundsSince = -Infinity;
  /** When the table's clock was last set: answers to requests that were sent before are ignored. */
  let setAt = -Infinity;
  /** How far this clock was ahead of the table's when that was last set back, ms. */
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
      // When DynamoDB answered, its clock stood between `server` and a second (and the lag) after it.
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

/** Wall time is read so often, ms. */
const OBSERVED_EVERY = 1000;

/** The clock of tables on this machine: its own wall clock is the tables'. @param wall ms */
export function systemClock(wall: () => number = Date.now): TableClock {
  const clock = createTableClock();
  let observedAt = -Infinity;
  return {
    ...clock,
    now() {
      const at = steadyClock();
      if (at - observedAt >= OBSERVED_EVERY) {
        observedAt = at;
        clock.observe(new Date(wall()).toUTCString(), at, at);
      }
      return clock.now();
    },
  };
}
