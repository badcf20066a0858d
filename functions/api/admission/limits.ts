// An owner's limits, enforced before anything is stored: requests a minute, jobs that have not ended, images a day,
// dollars a month. Only callers with a key have any. Numbers and cases stand in core/quota.ts and core/start-tag.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../../core/access.ts';
import type { JobState } from '../../core/job-state.ts';
import type { Owner } from '../../core/owner.ts';
import {
  dayOf,
  type Reservation,
  MAX_RESERVATIONS,
  type OwnerLimits,
  totalsOf,
  unused,
  type Usage,
} from '../../core/quota.ts';
import type { Taking } from '../../store/owners.ts';
import type { ApiDeps } from '../deps.ts';
import { createVirtualTime } from './virtual-time.ts';
import { createOwnerView, DAY } from './owner-view.ts';
import {
  limitHeaders,
  type LimitHeaders,
  refuseBudget,
  refuseImages,
  refuseRate,
  refuseUnfinished,
  tooBusy,
} from './refusals.ts';

export interface WantedJob {
  jobId: string;
  images: number;
  /** No other request can make this job: its reservation may be released. */
  unique: boolean;
  /** Of low priority. */
  isLow: boolean;
}

export interface Admitted {
  /** The job's; undefined: the owner has no limits, and the acceptance is the start tag. */
  startTag?: number | undefined;
  /** When the owner's last job of low priority came. */
  lowAt?: number | undefined;
  headers: LimitHeaders;
}

export interface Limits {
  /** A request that makes no job. @throws Refusal too_many_requests */
  request(caller: Caller): Promise<LimitHeaders>;
  /** @throws Refusal */
  job(caller: Caller, wanted: WantedJob): Promise<Admitted>;
  /** It was surely not accepted: what was reserved for it is free again. */
  notAccepted(owner: string, jobId: string): Promise<void>;
  /** An ended job's record is about to go: what it has used stays. */
  removing(state: JobState): Promise<void>;
  /** Its waiting jobs are cleared. */
  cleared(caller: Caller): Promise<void>;
}

/** Each means that another process has written in between, and what it left belongs to another case. */
const TRIES = 6;

export function hasLimits(caller: Caller): boolean {
  return caller.keyId !== undefined;
}

export function createLimits(deps: ApiDeps): Limits {
  const { owners, usage, now } = deps;
  const view = createOwnerView(deps);
  const virtualTime = createVirtualTime(deps.jobs, now);

  /** Takes a token and, for a job, a start tag. @throws Refusal too_many_requests */
  async function take(name: string, job?: Pick<Taking, 'virtualTime' | 'isLow'>): Promise<Owner> {
    let owner = await view.owner(name);
    for (let tries = 0; ; tries += 1) {
      const { perMinute } = view.limitsOf(owner);
      // What is known of a bucket is at most too full.
      refuseRate(owner, perMinute, now());
      const after = await owners.take(owner, { now: now(), perMinute, ...job });
      if (after) {
        view.know(after);
        return after;
      }
      if (tries === TRIES) throw tooBusy(name);
      if (tries > 0) await sleep(Math.random() * 20 * 2 ** tries);
      owner = await view.owner(name, { fresh: true });
    }
  }

  /** @returns the day after it; undefined: the job was reserved before @throws Refusal */
  async function reserve(name: string, limits: OwnerLimits, wanted: Reservation): Promise<Usage | undefined> {
    const day = dayOf(wanted.at);
    const { imagesPerDay, maxWaiting } = limits;
    let room = { taken: imagesPerDay, uncommitted: Infinity };
    if (maxWaiting !== undefined)
      room.uncommitted = maxWaiting - (await view.uncommittedOn(name, dayOf(wanted.at - DAY)));
    for (let tries = 0; tries < TRIES; tries += 1) {
      // An owner that was at a limit a moment ago is refused without a write.
      if (tries > 0 || view.hasStanding(name, day)) {
        const [today, yesterday] = await Promise.all([
          view.standing(name, day, { fresh: tries > 1 }),
          view.standing(name, dayOf(wanted.at - DAY)),
        ]);
        if (today.reservations.some(({ jobId }) => jobId === wanted.jobId)) return undefined;
        const full = today.uncommitted >= MAX_RESERVATIONS;
        const unfinished = full ? today.uncommitted : today.live + yesterday.live;
        refuseUnfinished(name, full ? MAX_RESERVATIONS : maxWaiting, unfinished);
        refuseImages(name, imagesPerDay, wanted, today.taken - today.released);
        room = {
          taken: imagesPerDay === undefined ? undefined : imagesPerDay + today.released,
          uncommitted: (maxWaiting ?? Infinity) - yesterday.live + today.over,
        };
      }
      const after = await usage.reserve(name, day, wanted, room);
      if (after) return after;
      // The stored counts leave no room, or the job was reserved before: a retry counts jobs that have ended by then.
    }
    throw tooBusy(name);
  }

  return {
    async request(caller) {
      if (!hasLimits(caller)) return {};
      if (view.limitsOf(await view.owner(caller.owner)).perMinute === undefined) return {};
      const owner = await take(caller.owner);
      return limitHeaders(view.limitsOf(owner), { owner, now: now() });
    },

    async job(caller, { jobId, images, unique, isLow }) {
      if (!hasLimits(caller)) return { headers: {} };
      const name = caller.owner;
      const known = await view.owner(name);
      const limits = view.limitsOf(known);
      // Before anything is written: most of what is over a limit ends here.
      refuseRate(known, limits.perMinute, now());
      if (limits.usdPerMonth !== undefined)
        refuseBudget(name, limits.usdPerMonth, await view.month(name), now());
      const wanted = { jobId, images, at: now() };
      const day = await reserve(name, limits, wanted);
      try {
        const owner = await take(name, { virtualTime: await virtualTime(), isLow });
        const { startTag, lowAt } = owner;
        return { startTag, lowAt, headers: limitHeaders(limits, { owner, day, now: now() }) };
      } catch (error) {
        // If that fails, the controller releases it within an hour.
        if (day && unique) await usage.commit(day, [unused(wanted)], false).catch(() => false);
        throw error;
      }
    },

    async notAccepted(owner, jobId) {
      const day = dayOf(now());
      // If that fails, the controller releases it within an hour.
      const { reservations } = await usage.read(owner, day);
      const own = reservations.find((one) => one.jobId === jobId);
      if (own) await usage.commit({ owner, day }, [unused(own)], false);
    },

    async removing(state) {
      // Without keys nothing is reserved.
      if (deps.admit === undefined) return;
      const { jobId, owner } = state;
      const day = dayOf(state.createdAt);
      const { reservations } = await usage.read(owner, day);
      const own = reservations.find((one) => one.jobId === jobId);
      if (own)
        await usage.commit(
          { owner, day },
          [{ reservation: own, totals: totalsOf(state, own.images) }],
          false,
        );
    },

    async cleared(caller) {
      if (hasLimits(caller)) await owners.forgetStartTag(caller.owner);
    },
  };
}
