// The tables' clock: this machine's, corrected by the Date header of DynamoDB's answers, so that times written by
// machines whose clocks disagree can be compared. A header has whole seconds: each answer bounds the offset from
// below and above, and an offset is only believed as far as the bounds force it.

export interface Clock {
  /** Milliseconds since 1970, as the tables count them. */
  now(): number;
}

export interface TableClock extends Clock {
  /** @param date the header; `sentAt` and `receivedAt` are local, in ms */
  observe(date: string | undefined, sentAt: number, receivedAt: number): void;
}

/** Bounds older than this are dropped, since clocks drift and are set. */
const MEMORY = 60_000;
/** Node's own servers stamp answers from a clock that they read once a second. */
const HEADER_LAG = 1000;

export function createTableClock(local: () => number = Date.now): TableClock {
  let low = -Infinity;
  let high = Infinity;
  let boundsSince = 0;
  return {
    now: () => Math.round(local() + Math.min(Math.max(0, low), high)),
    observe(date, sentAt, receivedAt) {
      const server = Date.parse(date ?? '');
      if (Number.isNaN(server)) return;
      // When it answered, the table's clock stood between `server` and a second (and the lag) after it.
      const atLeast = server - receivedAt;
      const atMost = server + 1000 + HEADER_LAG - sentAt;
      const contradicts = atLeast > high || atMost < low;
      if (contradicts || receivedAt - boundsSince > MEMORY || receivedAt < boundsSince) {
        low = atLeast;
        high = atMost;
        boundsSince = receivedAt;
        return;
      }
      low = Math.max(low, atLeast);
      high = Math.min(high, atMost);
    },
  };
}
