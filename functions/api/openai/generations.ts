// POST /v1/images/generations: accepted as every job is, and answered when all of its images are there.

import type { Context } from 'hono';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { jsonObject } from '../http/body.ts';
import { askedOf } from './asked.ts';
import { answerCall } from './call.ts';
import { modelOf } from './models.ts';

export async function generations(deps: FacadeDeps, c: Context<ApiEnv>): Promise<Response> {
  const body = await jsonObject(c);
  const template = modelOf(deps.workflows.templates, body['model'] ?? undefined);
  return answerCall(deps, c, { template, asked: askedOf(template, body) });
}
