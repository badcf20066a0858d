// The limits of owners: read and set by the same rules as `npm run keys -- limits`. Only limits that are named are written, so that
// two who set others do not undo each other. In force everywhere within half a minute.

import { createCache } from '../../core/cache.ts';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import {
  LIMIT_NAMES,
  LIMIT_WORDS,
  type LimitName,
  limitMust,
  OWN_LIMITS,
  ownLimitsOf,
  readLimit,
  type SaidLimit,
  saidLimit,
} from '../../core/own-limits.ts';
import {
  bucketOf,
  dayOf,
  DEFAULT_LIMITS,
  limitsOf,
  MB,
  type OwnLimits,
  type Usage,
} from '../../core/quota.ts';
import type { Owner } from '../../core/owner.ts';
import { DAY } from '../admission/owner-view.ts';
import { createUsageView } from '../admission/usage-view.ts';
import { seldom } from '../caches/seldom.ts';
import { json } from '../http/answers.ts';
import { object, ownerName, part } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import { byOf } from './by.ts';
import type { AdminDeps } from './deps.ts';

const LISTED = 500;
/** Three items each. */
const KEPT_FOR_EACH = 5;

const BODY = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: Object.fromEntries(
    LIMIT_NAMES.map((name) => {
      const { least, most, whole, means } = OWN_LIMITS[name];
      const number = {
        type: whole ? 'integer' : 'number',
        minimum: least,
        maximum: most === Infinity ? Number.MAX_SAFE_INTEGER : most,
      };
      return [name, { anyOf: [number, { enum: [...LIMIT_WORDS] }], description: means }];
    }),
  ),
};

const owner = part(
  'owner',
  { description: 'Whose', schema: { type: 'string' }, example: 'alice' },
  ownerName,
);

/** What is counted; null: it is not. */
type Used = Record<LimitName, number | null>;

export function limitRoutes(deps: AdminDeps) {
  const { keys, owners, usage, settings, log, now } = deps;
  const applied = deps.admit !== undefined;
  const standing = createUsageView(deps);

  /** Strongly consistent, and exact. */
  async function viewOf(name: string) {
    const { own, usage: stands } = await standing(name);
    const { requests_per_minute: requests, images_today: images, usd_this_month: usd } = stands;
    return view(own, {
      requests_per_minute: requests.limit === null ? null : requests.limit - requests.remaining!,
      unfinished_jobs: stands.unfinished_jobs.used,
      images_per_day: images.used + images.reserved,
      usd_per_month: usd.used + usd.estimated,
      upload_mb: stands.upload_bytes.used / MB,
    });
  }

  function view(own: Owner, used: Used) {
    const inForce = limitsOf(own, settings.ownerLimits ?? DEFAULT_LIMITS);
    const limits = LIMIT_NAMES.map((name) => {
      const { limit, unit } = OWN_LIMITS[name];
      const value = inForce[limit];
      return [
        name,
        { set: saidLimit(name, own), limit: value === undefined ? null : value / unit, used: used[name] },
      ] as const;
    });
    return {
      owner: own.owner,
      limits: Object.fromEntries(limits) as Record<LimitName, (typeof limits)[number][1]>,
    };
  }

  function countedOf(own: Owner, days: ReadonlyMap<string, Usage>, at: number): Used {
    const { perMinute } = limitsOf(own, settings.ownerLimits ?? DEFAULT_LIMITS);
    const [today, yesterday] = [at, at - DAY].map((day) => days.get(`${own.owner} ${dayOf(day)}`));
    return {
      requests_per_minute:
        perMinute === undefined ? null : perMinute - bucketOf(own.fullAt, perMinute, at).remaining,
      unfinished_jobs: (today?.uncommitted ?? 0) + (yesterday?.uncommitted ?? 0),
      images_per_day: today?.taken ?? 0,
      usd_per_month: null,
      upload_mb: null,
    };
  }

  // All keys, which are few, and of each owner one item of limits and two of usage.
  async function readAll() {
    const at = now();
    const names = [...new Set((await keys.list()).map((key) => key.owner))].toSorted();
    const listed = names.slice(0, LISTED);
    const asked = listed.flatMap((name) => [at, at - DAY].map((day) => ({ owner: name, day: dayOf(day) })));
    const [own, days] = await Promise.all([owners.readMany(listed), usage.readMany(asked)]);
    const byDay = new Map(days.map((one) => [`${one.owner} ${one.day}`, one]));
    return { owners: own.map((one) => view(one, countedOf(one, byDay, at))), total: names.length };
  }
  const list = createCache<Awaited<ReturnType<typeof readAll>>>(
    seldom(now, ({ total }) => total * KEPT_FOR_EACH),
  );

  return [
    route(
      {
        route: 'GET /admin/limits',
        id: 'adminLimits',
        tag: 'Operations',
        summary: 'The limits of all owners that have keys',
        scope: 'admin',
        answers: { 200: json('By their names', 'OwnersLimits') },
      },
      async () => ({ applied, ...(await list.get('', readAll)) }),
    ),

    route(
      {
        route: 'GET /admin/limits/:owner',
        id: 'adminLimitsOf',
        tag: 'Operations',
        summary: 'The limits of an owner, and what is used of each',
        scope: 'admin',
        parameters: { owner },
        answers: { 200: json('Those of an owner that has never called too', 'OwnerLimits') },
        errors: ['invalid_field'],
      },
      (_, { owner: name }) => viewOf(name),
    ),

    route(
      {
        route: 'POST /admin/limits/:owner',
        id: 'setLimits',
        tag: 'Operations',
        summary: 'Set limits of an owner',
        description:
          'Each that is named: a number, "unlimited", or "default" for what the API is set to. The others stay. In force everywhere within half a minute.',
        scope: 'admin',
        parameters: { owner },
        body: object(BODY),
        answers: { 200: json('All of them, after it', 'OwnerLimits') },
        errors: ['missing_field', 'unknown_field', 'invalid_field', 'invalid_json'],
      },
      async (c, { owner: name, body }) => {
        await owners.setLimits(name, askedLimits(body));
        list.forget('');
        log.info('limits.set', { owner: name, by: byOf(c.get('caller')) });
        return viewOf(name);
      },
    ),
  ];
}

function askedLimits(body: Record<string, unknown>): OwnLimits {
  const all = LIMIT_NAMES.join(', ');
  const said = Object.entries(body).map(([field, value]): [LimitName, SaidLimit] => {
    const name = LIMIT_NAMES.find((one) => one === field);
    if (name === undefined)
      throw new AppError('unknown_field', `Unknown field: ${field}; the limits are ${all}`, { field });
    const limit = readLimit(name, value);
    if (limit === undefined) throw invalid(name, `must ${limitMust(name)}`);
    return [name, limit];
  });
  if (said.length === 0)
    throw new AppError('missing_field', `Name at least one limit: ${all}`, { field: LIMIT_NAMES[0] });
  return ownLimitsOf(Object.fromEntries(said));
}
