// What an owner is told of its limits: the headers of draft-ietf-httpapi-ratelimit-headers (RateLimit, RateLimit-Policy)
// on every answer, and where one is reached 429 with a sentence, Retry-After, and numbers for machines.

import { AppError, type ErrorCode } from '../../core/errors.ts';
import {
  bucketOf,
  endOfDay,
  endOfMonth,
  type OwnerLimits,
  spending,
  tokenEvery,
  type Usage,
} from '../../core/quota.ts';
import type { Owner } from '../../store/owners.ts';
import type { Tell } from './limits.ts';

const DAY_SECONDS = 24 * 3600;
/** Nobody knows when a job ends. */
const UNFINISHED_RETRY_SECONDS = 5;

const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
const iso = (time: number) => new Date(time).toISOString();

interface Where {
  owner?: Pick<Owner, 'owner' | 'fullAt'>;
  /** Today's. */
  day?: Usage | undefined;
  now: number;
}

/** Dollars have no header: its quotas are whole numbers of something countable. */
export function tellLimits(tell: Tell, limits: OwnerLimits, { owner, day, now }: Where): void {
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
    if (day) states.push(`"unfinished";r=${Math.max(0, maxWaiting - day.unsettled)}`);
  }
  if (imagesPerDay !== undefined) {
    policies.push(`"day";q=${imagesPerDay};qu="images";w=${DAY_SECONDS}`);
    if (day)
      states.push(
        `"day";r=${Math.max(0, imagesPerDay - day.taken)};t=${Math.ceil((endOfDay(now) - now) / 1000)}`,
      );
  }
  if (policies.length > 0) tell('RateLimit-Policy', policies.join(', '));
  if (states.length > 0) tell('RateLimit', states.join(', '));
}

/** @param kind `reads` have a bucket of their own */
export function refuseRate(
  owner: Pick<Owner, 'owner' | 'fullAt'>,
  perMinute: number | undefined,
  now: number,
  tell: Tell,
  kind: 'requests' | 'reads' = 'requests',
): void {
  if (perMinute === undefined) return;
  const { nextIn } = bucketOf(owner.fullAt, perMinute, now);
  if (nextIn === 0) return;
  if (kind === 'requests') tellLimits(tell, { perMinute }, { owner, now });
  refuse(
    tell,
    seconds(nextIn),
    'too_many_requests',
    `${owner.owner} may send ${perMinute} ${kind} a minute and has sent them; the next one is free in ${seconds(nextIn)} s, another every ${tokenEvery(perMinute) / 1000} s`,
    { limit: kind === 'reads' ? 'reads' : 'minute', allowed: perMinute, remaining: 0 },
  );
}

/** @param live jobs that have not ended */
export function refuseUnfinished(
  name: string,
  maxWaiting: number | undefined,
  live: number,
  tell: Tell,
): void {
  if (maxWaiting === undefined || live < maxWaiting) return;
  tell('RateLimit-Policy', `"unfinished";q=${maxWaiting};qu="jobs"`);
  tell('RateLimit', `"unfinished";r=0`);
  refuse(
    tell,
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
  tell: Tell,
): void {
  if (imagesPerDay === undefined || taken + images <= imagesPerDay) return;
  const resetsAt = endOfDay(at);
  const remaining = Math.max(0, imagesPerDay - taken);
  const wait = seconds(resetsAt - at);
  tell('RateLimit-Policy', `"day";q=${imagesPerDay};qu="images";w=${DAY_SECONDS}`);
  tell('RateLimit', `"day";r=${remaining};t=${wait}`);
  refuse(
    tell,
    wait,
    'images_used_up',
    `${name} may make ${imagesPerDay} images a day; ${taken} are made or on their way, and ${images} more are too many; the day ends at ${iso(resetsAt)}`,
    { limit: 'day', allowed: imagesPerDay, used: taken, resets_at: iso(resetsAt) },
  );
}

export function refuseBudget(
  name: string,
  usdPerMonth: number,
  days: readonly Usage[],
  now: number,
  tell: Tell,
): void {
  const { usd, reservedUsd, usdPerJob } = spending(days);
  // With the job that is asked for.
  if (usdPerMonth > 0 && usd + reservedUsd + usdPerJob <= usdPerMonth) return;
  const resetsAt = endOfMonth(now);
  const dollars = (amount: number) => amount.toFixed(amount < 1 ? 4 : 2);
  refuse(
    tell,
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
  tell: Tell,
): void {
  if (uploadBytes === undefined || used + bytes <= uploadBytes) return;
  tell('RateLimit-Policy', `"uploads";q=${uploadBytes};qu="content-bytes"`);
  tell('RateLimit', `"uploads";r=${Math.max(0, uploadBytes - used)}`);
  const resets = roomAt === undefined ? undefined : iso(roomAt);
  refuse(
    tell,
    // Of nothing nothing is ever over.
    seconds(roomAt === undefined ? DAY_SECONDS * 1000 : roomAt - now),
    'uploads_used_up',
    `${name} may keep ${uploadBytes} bytes of uploads, keeps ${used}, and ${bytes} more are too many; DELETE /api/upload/image/<name> makes room${resets === undefined ? '' : `, and the oldest one goes by itself at ${resets}`}`,
    { limit: 'uploads', allowed: uploadBytes, used, ...(resets !== undefined && { resets_at: resets }) },
  );
}

function refuse(
  tell: Tell,
  retryAfter: number,
  code: ErrorCode,
  sentence: string,
  details: Record<string, unknown>,
): never {
  tell('Retry-After', String(retryAfter));
  throw new AppError(code, sentence, details);
}
