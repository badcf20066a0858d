// How old something is, as this process has lived it. What passed between two rounds without any, since the clock was set,
// the machine slept or the table did not answer, makes nothing older: nobody could have done anything about it.

export interface Lived {
  /** A round begins. True: it comes much too late. @param now ms */
  begins(now: number): boolean;
  /** It came to its end; one that fails is none. */
  ended(now: number): void;
  /** Milliseconds since `moment` between rounds that came too late and the ones before them. */
  skipped(moment: number): number;
}

/** Gaps that are remembered: years of nights. */
const REMEMBERED = 2000;

/** @param longest from the end of a round to the next, ms */
export function createLived(longest: number): Lived {
  const gaps: { from: number; to: number }[] = [];
  let last: number | undefined;
  return {
    begins(now) {
      if (last === undefined || now - last <= longest) return false;
      // The rounds in between have failed.
      if (gaps.at(-1)?.from === last) gaps.pop();
      gaps.push({ from: last, to: now });
      if (gaps.length > REMEMBERED) gaps.shift();
      return true;
    },
    ended(now) {
      last = now;
    },
    skipped: (moment) =>
      gaps.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, moment)), 0),
  };
}
