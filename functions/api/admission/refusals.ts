// What an owner's limits answer: the headers of draft-ietf-httpapi-ratelimit-headers (RateLimit, RateLimit-Policy)
// on every answer, and where one is reached 429 with a sentence, Retry-After, and numbers for machines.

import type { AnswerError } from '../../core/errors.ts';
import type { Owner } from '../../core/owner.ts';
import {
  bucketOf,
  endOfDay,
  endOfMonth,
  type OwnerLimits,
  spending,
  tokenEvery,
  type Usage,
} from '../../core/quota.ts';
import { Refusal } from '../http/problems.ts';

const DAY_SECONDS = 24 * 3600;
/** When a job ends is not known. */
const UNFINISHED_RETRY_SECONDS = 5;

const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
const iso = (time: number) => new Date(time).toISOString();

interface Where {
  owner?: Pick<Owner, 'owner' | 'fullAt'>;
  /** Today's. */
  day?: Usage | undefined;
  now: number;
}

/** Header names and values: what is left of the caller's limits. */
export type LimitHeaders = Record<string, string>;

/** Dollars have no header: its quotas are whole numbers of something countable. */
export function limitHeaders(limits: OwnerLimits, { owner, day, now }: Where): LimitHeaders {
  const policies: string[] = [];
  const states: string[] = [];
  const { perMinute, maxWaiting, imagesPerDay } = limits;
  if (perMinute !== undefined) {
    policies.push(`"minute";q=${perMinute};w=60`);
    if (owner) {
      const { remaining, fullIn } = bucketOf(owner.fullAt, perMinute, now);
      states.push(`"minute";r=${remaining};t=${Math.ceil(fullIn / 1000)}`);
    }
  }
  if (maxWaiting !== undefined) {
    policies.push(`"unfinished";q=${maxWaiting};qu="jobs"`);
    if (day) states.push(`"unfinished";r=${Math.max(0, maxWaiting - day.uncommitted)}`);
  }
  if (imagesPerDay !== undefined) {
    policies.push(`"day";q=${imagesPerDay};qu="images";w=${DAY_SECONDS}`);
    if (day)
      states.push(
        `"day";r=${Math.max(0, imagesPerDay - day.taken)};t=${Math.ceil((endOfDay(now) - now) / 1000)}`,
      );
  }
  return {
    ...(policies.length > 0 && { 'RateLimit-Policy': policies.join(', ') }),
    ...(states.length > 0 && { RateLimit: states.join(', ') }),
  };
}

/** @param kind `reads` have a bucket of their own */
export function refuseRate(
  owner: Pick<Owner, 'owner' | 'fullAt'>,
  perMinute: number | undefined,
  now: number,
  kind: 'requests' | 'reads' = 'requests',
): void {
  if (perMinute === undefined) return;
  const { nextIn } = bucketOf(owner.fullAt, perMinute, now);
  if (nextIn === 0) return;
  refuse(
    kind === 'requests' ? limitHeaders({ perMinute }, { owner, now }) : {},
    seconds(nextIn),
    'too_many_requests',
    `${owner.owner} may send ${perMinute} ${kind} a minute and has sent them; the next one is free in ${seconds(nextIn)} s, another every ${tokenEvery(perMinute) / 1000} s`,
    { limit: kind === 'reads' ? 'reads' : 'minute', allowed: perMinute, remaining: 0 },
  );
}

/** @param live jobs that have not ended */
export function refuseUnfinished(name: string, maxWaiting: number | undefined, live: number): void {
  if (maxWaiting === undefined || live < maxWaiting) return;
  refuse(
    headers(`"unfinished";q=${maxWaiting};qu="jobs"`, `"unfinished";r=0`),
    UNFINISHED_RETRY_SECONDS,
    'too_many_unfinished',
    `${name} has ${live} jobs that have not ended and may have ${maxWaiting}; come again when one has ended`,
    { limit: 'unfinished', allowed: maxWaiting, used: live },
  );
}

/** @param taken images made today and on their way */
export function refuseImages(
  name: string,
  imagesPerDay: number | undefined,
  { images, at }: { images: number; at: number },
  taken: number,
): void {
  if (imagesPerDay === undefined || taken + images <= imagesPerDay) return;
  const resetsAt = endOfDay(at);
  const remaining = Math.max(0, imagesPerDay - taken);
  const wait = seconds(resetsAt - at);
  refuse(
    headers(`"day";q=${imagesPerDay};qu="images";w=${DAY_SECONDS}`, `"day";r=${remaining};t=${wait}`),
    wait,
    'images_used_up',
    `${name} may make ${imagesPerDay} images a day; ${taken} are made or on their way, and ${images} more are too many; the day ends at ${iso(resetsAt)}`,
    { limit: 'day', allowed: imagesPerDay, used: taken, resets_at: iso(resetsAt) },
  );
}

export function refuseBudget(name: string, usdPerMonth: number, days: readonly Usage[], now: number): void {
  const { usd, reservedUsd, usdPerJob } = spending(days);
  // With the job that is asked for.
  if (usdPerMonth > 0 && usd + reservedUsd + usdPerJob <= usdPerMonth) return;
  const resetsAt = endOfMonth(now);
  const dollars = (amount: number) => amount.toFixed(amount < 1 ? 4 : 2);
  refuse(
    {},
    seconds(resetsAt - now),
    'budget_used_up',
    `${name} may spend ${dollars(usdPerMonth)} US dollars a month; ${dollars(usd)} are spent, jobs that have not ended will take about ${dollars(reservedUsd)} and this one about ${dollars(usdPerJob)}; the month ends at ${iso(resetsAt)}`,
    { limit: 'month', allowed: usdPerMonth, used: usd, estimated: reservedUsd, resets_at: iso(resetsAt) },
  );
}

/** @param roomAt when the oldest of them is over by itself, ms */
export function refuseUploads(
  name: string,
  uploadBytes: number | undefined,
  bytes: number,
  { used, roomAt, now }: { used: number; roomAt: number | undefined; now: number },
): void {
  if (uploadBytes === undefined || used + bytes <= uploadBytes) return;
  const resets = roomAt === undefined ? undefined : iso(roomAt);
  refuse(
    headers(
      `"uploads";q=${uploadBytes};qu="content-bytes"`,
      `"uploads";r=${Math.max(0, uploadBytes - used)}`,
    ),
    // Of nothing nothing is ever over.
    seconds(roomAt === undefined ? DAY_SECONDS * 1000 : roomAt - now),
    'uploads_used_up',
    `${name} may keep ${uploadBytes} bytes of uploads, keeps ${used}, and ${bytes} more are too many; DELETE /api/upload/image/<name> makes room${resets === undefined ? '' : `, and the oldest one goes by itself at ${resets}`}`,
    { limit: 'uploads', allowed: uploadBytes, used, ...(resets !== undefined && { resets_at: resets }) },
  );
}

/** Others asked at the same moment, again and again. */
export function tooBusy(owner: string): Refusal {
  return new Refusal(
    'too_many_requests',
    `Too many requests of ${owner} came at the same moment; come again in a second`,
    { limit: 'minute' },
    { 'Retry-After': '1' },
  );
}

function headers(policy: string, state: string): LimitHeaders {
  return { 'RateLimit-Policy': policy, RateLimit: state };
}

function refuse(
  headers: LimitHeaders,
  retryAfter: number,
  code: AnswerError,
  sentence: string,
  details: Record<string, unknown>,
): never {
  throw new Refusal(code, sentence, details, { ...headers, 'Retry-After': String(retryAfter) });
}
