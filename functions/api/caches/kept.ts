// What costs too much to read for every request: read again when asked for, for a twentieth of the time at most.

const FRESH = 1000;
/** Reading may take a twentieth of the time, no more. */
const SHARE = 20;
/** What takes long to read may be so many periods old before an answer waits for it; what is quick is waited for. */
const STALE = 10;

/**
 * @param read what it takes to know; a failed read is tried again by the next who asks
 * @param mayBe how old what was read may become before it is read again, ms; at least a second
 */
export function createKept<T>(
  read: () => Promise<T>,
  now: () => number,
  mayBe: (value: T) => number = () => FRESH,
): () => Promise<T> {
  let kept: { value: T } | undefined;
  let readAt = -Infinity;
  let period = FRESH;
  let reading: Promise<T> | undefined;

  async function readNow(): Promise<T> {
    const start = now();
    try {
      kept = { value: await read() };
      return kept.value;
    } finally {
      readAt = now();
      period = Math.max(FRESH, kept ? mayBe(kept.value) : 0, (readAt - start) * SHARE);
      reading = undefined;
    }
  }

  return async () => {
    const age = now() - readAt;
    if (kept && age >= 0 && age < period) return kept.value;
    reading ??= readNow();
    if (!kept || period === FRESH || age >= period * STALE) return reading;
    // In the background: it takes longer than a request should.
    reading.catch(() => undefined);
    return kept.value;
  };
}
