// Age as this process has observed it. A gap between rounds, because the clock was set, the machine slept or the table
// did not answer, does not count: no process could act in it.

export interface Lived {
  /** A round begins. @returns whether it comes later than `longest` after the last. @param now ms */
  begins(now: number): boolean;
  /** The round succeeded; a failed round is not recorded. */
  ended(now: number): void;
  /** Milliseconds of such gaps since `moment`. */
  skipped(moment: number): number;
}

/** Gaps that are remembered: enough for years of nights. */
const REMEMBERED = 2000;

/** @param longest from the end of a round to the next, ms */
export function createLived(longest: number): Lived {
  const gaps: { from: number; to: number }[] = [];
  let last: number | undefined;
  return {
    begins(now) {
      if (last === undefined || now - last <= longest) return false;
      // The rounds in between failed: one gap.
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
