// GET /api/usage: what the caller may do, an owner's limits, where it stands, and when each begins anew.

import { hasLimits } from '../admission/limits.ts';
import { createUsageView } from '../admission/usage-view.ts';
import { json } from '../http/answers.ts';
import { owner } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

export const usageRoutes = (deps: Shared) => {
  const view = createUsageView(deps);
  return [
    route(
      {
        route: 'GET /usage',
        id: 'usage',
        tag: 'Service',
        summary: 'One’s limits, and where one stands',
        description: 'Days and months are UTC’s. Nothing is limited where no keys are asked for.',
        scope: 'read',
        parameters: { name: owner },
        answers: { 200: json('The usage', 'Usage') },
      },
      async (c, { name }) => {
        // Without keys nothing is counted.
        const caller = c.get('caller');
        const scopes = [...caller.scopes];
        if (!hasLimits(caller)) return { owner: name, scopes, limited: false };
        return { owner: name, scopes, limited: true, ...(await view(name)).usage };
      },
    ),
  ];
};
