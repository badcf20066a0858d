// What an owner has used, day by day: reads of as many items as days, from the totals that limits go by.

import { dayOf } from '../../core/quota.ts';
import { json } from '../http/answers.ts';
import { owner, whole } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';

const DAY = 24 * 3_600_000;

export function usageRoutes({ usage, now }: AdminDeps) {
  return [
    route(
      {
        route: 'GET /admin/usage',
        id: 'adminUsage',
        tag: 'Operations',
        summary: 'What an owner has used, day by day',
        scope: 'admin',
        parameters: {
          owner,
          days: whole(
            { name: 'days', description: 'How many, with today' },
            { minimum: 1, maximum: 366, default: 31 },
          ),
        },
        answers: { 200: json('Each day, those without a job too', 'UsageByDay') },
        errors: ['invalid_field'],
      },
      async (_, { owner: name, days }) => {
        const last = now();
        const asked = Array.from({ length: days }, (_one, index) => dayOf(last - (days - 1 - index) * DAY));
        const found = await usage.readDays(name, asked);
        return {
          owner: name,
          days: found.map(({ day, jobs, images, costMicroUsd, gpuMs }) => ({
            day,
            jobs,
            images,
            usd: costMicroUsd / 1e6,
            gpu_seconds: gpuMs / 1000,
          })),
        };
      },
    ),
  ];
}
