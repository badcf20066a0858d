// How long ago something was, in the largest unit of which it was one.

const DAY = 86_400;
const UNITS = [
  [365 * DAY, 'year'],
  [30 * DAY, 'month'],
  [DAY, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const;

/** @param now ms; clocks differ: what is later than it was just now */
export function ago(iso: string, now: number, language: string): string {
  const seconds = Math.min(0, Math.round((Date.parse(iso) - now) / 1000));
  const [length, unit] = UNITS.find(([length]) => -seconds >= length) ?? ([1, 'second'] as const);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }).format(
    Math.trunc(seconds / length),
    unit,
  );
}
