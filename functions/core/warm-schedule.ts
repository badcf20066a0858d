// How many GPU hosts stay up without work: a minimum, and a schedule such as "mon-fri 08:00-18:00 Europe/Berlin=1", by the
// wall clock of its zone, daylight saving included. Pure.

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MINUTES = 24 * 60;
const SPAN = /^([a-z,-]+) +(\d\d):(\d\d)-(\d\d):(\d\d) +([\w/+-]+) *= *(\d{1,4})$/i;

export interface WarmSpan {
  /** The days on which it begins, as indices of `DAYS`. */
  days: ReadonlySet<number>;
  /** Minutes from midnight; where `to` is before `from`, it ends the next day. */
  from: number;
  to: number;
  /** The wall clock of its zone. */
  clock: Intl.DateTimeFormat;
  hosts: number;
}

export interface Warmth {
  minHosts: number;
  spans: readonly WarmSpan[];
}

export const NEVER_WARM: Warmth = { minHosts: 0, spans: [] };

/** The largest number in force. @param now ms */
export function warmHosts({ minHosts, spans }: Warmth, now: number): number {
  return Math.max(minHosts, ...spans.map((span) => (isIn(span, now) ? span.hosts : 0)));
}

function isIn({ days, from, to, clock }: WarmSpan, now: number): boolean {
  const parts = Object.fromEntries(clock.formatToParts(now).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf(parts['weekday']!.toLowerCase());
  const minute = 60 * Number(parts['hour']) + Number(parts['minute']);
  if (from < to) return days.has(day) && minute >= from && minute < to;
  return (days.has(day) && minute >= from) || (days.has((day + 6) % 7) && minute < to);
}

/** @param text spans, separated by semicolons, or empty. @throws RangeError that says which span is wrong and how */
export function readWarm(text: string): WarmSpan[] {
  return text.split(';').flatMap((one) => (one.trim() === '' ? [] : [readSpan(one.trim())]));
}

function readSpan(text: string): WarmSpan {
  const found = SPAN.exec(text);
  if (!found)
    throw new RangeError(
      `"${text}" is no span such as "mon-fri 08:00-18:00 Europe/Berlin=1": days, times, a time zone and a number of hosts`,
    );
  const [, days, fromHour, fromMinute, toHour, toMinute, zone, hosts] = found as unknown as string[];
  const from = minutesOf(text, fromHour!, fromMinute!);
  const to = minutesOf(text, toHour!, toMinute!);
  if (from === to || from === DAY_MINUTES)
    throw new RangeError(`"${text}" has no length; a whole day is 00:00-24:00`);
  return { days: daysOf(text, days!), from, to, clock: clockOf(text, zone!), hosts: Number(hosts) };
}

function minutesOf(text: string, hour: string, minute: string): number {
  const minutes = 60 * Number(hour) + Number(minute);
  if (Number(minute) > 59 || minutes > DAY_MINUTES)
    throw new RangeError(`"${text}" has the time ${hour}:${minute}; times are from 00:00 to 24:00`);
  return minutes;
}

function daysOf(text: string, list: string): ReadonlySet<number> {
  return new Set(
    list.split(',').flatMap((one) => {
      const [first, last = first, ...more] = one.split('-').map((name) => DAYS.indexOf(name.toLowerCase()));
      if (first === -1 || last === -1 || more.length > 0)
        throw new RangeError(`"${text}" has the days "${one}"; days are ${DAYS.join(', ')}, or mon-fri`);
      return Array.from({ length: ((last! - first! + 7) % 7) + 1 }, (_, n) => (first! + n) % 7);
    }),
  );
}

function clockOf(text: string, timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    throw new RangeError(
      `"${text}" has the time zone ${timeZone}, which is none; one is Europe/Berlin or UTC`,
    );
  }
}
