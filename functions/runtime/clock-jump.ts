// What is logged when the tables' clock jumps.

/** @param by ms */
export function jumpInWords(by: number): string {
  const span = spanInWords(Math.abs(by));
  return by > 0
    ? `the clock jumped by ${span}, or this machine slept: what waits or is kept is not older for it`
    : `the clock was set back by ${span}: reported times stay ahead of it, by less and less, for ${spanInWords(-2 * by)}`;
}

function spanInWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 6) / 10} h`;
}
