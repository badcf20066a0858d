// POST /v1/images/generations: accepted as every job is, and answered when all of its images are there.

import type { Context } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { hashBytes } from '../../core/request.ts';
import { jsonObject } from '../http/body.ts';
import { askedOf } from './asked.ts';
import { answerCall, type CallDeps } from './call.ts';
import { modelOf } from './models.ts';

export async function generations(deps: CallDeps, c: Context<ApiEnv>): Promise<Response> {
  const body = await jsonObject(c);
  const template = modelOf(deps.workflows.templates, body['model'] ?? undefined);
  const asked = askedOf(template, body);
  // Kept by Hono since it was read.
  const bodyHash = hashBytes(Buffer.from(await c.req.text()));
  return answerCall(deps, c, { template, asked, bodyHash, kind: 'image_generation' });
}
