// OpenAI's images API as a façade over the same jobs: a workflow is a model, a call is a job that the call waits for. Source:
// `resources/images` of the npm package openai 7.59.0, and docs/openai.md. Loaded at the first request.

import type { MiddlewareHandler } from 'hono';
import { AppError } from '../../core/errors.ts';
import { MB } from '../../core/quota.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { createFacade } from '../facade/app.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { exactJson } from '../http/exact-json.ts';
import { MAX_EDIT_BYTES } from './edit-form.ts';
import { edits } from './edits.ts';
import { openAIErrors } from './errors.ts';
import { createFormRoom } from './form-room.ts';
import { generations } from './generations.ts';
import { modelNamed, modelView } from './models.ts';
import { createRepetitions } from './repetitions.ts';

/** @param entry who may come in, and as whom */
export function createOpenAI(shared: FacadeDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): ApiApp {
  const deps = { ...shared, repetitions: createRepetitions(shared), formRoom: createFormRoom() };
  return createFacade({
    deps,
    entry,
    routes: [
      {
        route: 'POST /v1/images/generations',
        scope: 'generate',
        errors: ['too_many_requests'],
        handle: (c) => generations(deps, c),
      },
      {
        route: 'POST /v1/images/edits',
        scope: 'generate',
        body: { limit: { bytes: MAX_EDIT_BYTES, tooLarge } },
        errors: ['too_many_requests'],
        handle: (c) => edits(deps, c),
      },
      {
        route: 'GET /v1/models',
        scope: 'read',
        handle: async (c) =>
          exactJson(c, {
            object: 'list',
            data: [...deps.workflows.templates.values()].map(modelView),
          }),
      },
      {
        route: 'GET /v1/models/:id',
        scope: 'read',
        handle: async (c) =>
          exactJson(c, modelView(modelNamed(deps.workflows.templates, c.req.param('id') ?? ''))),
      },
    ],
    errors: openAIErrors(deps.log),
  });
}

function tooLarge(): never {
  throw new AppError('body_too_large', `An edit may have at most ${MAX_EDIT_BYTES / MB} MB`);
}
