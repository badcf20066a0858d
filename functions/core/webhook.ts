// Which webhook endpoints are accepted, and when a delivery is retried or given up. Pure: whether an address may be called
// is checked when it is called (outbound/address.ts).

import { invalid } from './inputs.ts';
import type { JobState } from './job-state.ts';
import { MAX_WEBHOOK_URL, WEBHOOK_TRIED_FOR } from './limits.ts';

/**
 * @param field that it came in
 * @param allowPrivate allows plain http too, for receivers in a private network
 * @returns undefined where none was given
 * @throws AppError invalid_field
 */
export function parseWebhookUrl(
  given: unknown,
  allowPrivate: boolean,
  field = 'webhook_url',
): string | undefined {
  if (given === undefined || given === null) return undefined;
  const wanted = `must be ${allowPrivate ? 'an http or https' : 'an https'} address such as https://example.com/hook`;
  if (typeof given !== 'string' || !URL.canParse(given)) throw invalid(field, wanted);
  if (given.length > MAX_WEBHOOK_URL) throw invalid(field, `may have at most ${MAX_WEBHOOK_URL} characters`);
  const url = new URL(given);
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) throw invalid(field, wanted);
  if (url.username !== '' || url.password !== '')
    throw invalid(field, 'must hold no user name and no password; webhooks are signed instead');
  // The normalised URL is what is called: numeric addresses, blanks and other scripts may have become longer.
  if (url.href.length > MAX_WEBHOOK_URL)
    throw invalid(field, `may have at most ${MAX_WEBHOOK_URL} characters, written out`);
  return url.href;
}

export type WebhookType = 'job.completed' | 'job.failed' | 'job.cancelled';

/** @param status of a job that has ended */
export function webhookType(status: JobState['status']): WebhookType {
  if (status === 'completed' || status === 'failed' || status === 'cancelled') return `job.${status}`;
  throw new Error(`A job that is ${status} has no webhook type`);
}

const FIRST_WAIT = 5000;
const LONGEST_WAIT = 4 * 3_600_000;
/** A day of retries has at least twelve. */
const LEAST_TRIES = 10;

/**
 * The time of the next try: after 5 s, 20 s, 80 s, … 4 h, each up to a quarter more or less, so that deliveries which failed
 * together spread out. The last try is a day after the first. After a clock jump or a pause of all senders the day may be
 * over with few tries: then at least LEAST_TRIES are made.
 * @param attempt the number of tries so far; @param since ms of the first; @param random from 0 to 1
 * @returns ms; undefined: give up
 */
export function nextTry(attempt: number, since: number, now: number, random: number): number | undefined {
  const last = since + WEBHOOK_TRIED_FOR;
  const isOver = now >= last;
  if (isOver && attempt >= LEAST_TRIES) return undefined;
  const wait = Math.min(FIRST_WAIT * 4 ** Math.min(attempt - 1, 10), LONGEST_WAIT);
  const next = Math.round(now + wait * (0.75 + random / 2));
  return isOver ? next : Math.min(next, last);
}
