// The API's description: OpenAPI 3.1, and a page that shows it, made by swagger-ui from local files, without requests to
// other servers. Open to all, also where the API wants keys: a browser cannot send one to a page, and
// neither holds a secret or anything of a job; the page's Authorize button takes the key for what is tried out.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import type { ApiDeps } from '../deps.ts';
import { answer, fixed, once, onceFor } from '../http/fixed.ts';
import { part } from '../http/parameters.ts';
import { type Declared, route } from '../http/route.ts';

const AGAIN = { 'Cache-Control': 'no-cache' };
/** A new release may come within a day. */
const FOR_A_DAY = { 'Cache-Control': 'public, max-age=86400' };

type DocsDeps = Pick<ApiDeps, 'workflows' | 'docs' | 'admit'>;

const AT_HAND = { description: 'The copy at hand is the same' };

/** Served at the root and at /api, before keys are asked for. @param routes all that there are, these too */
export function docsRoutes({ workflows, docs, admit }: DocsDeps, routes: () => Promise<readonly Declared[]>) {
  const document = onceFor(
    () => workflows.templates,
    async (templates) => {
      // Imported at the first read, not at every start: a Lambda has it in a file of its own (build.mjs).
      const { documentOf } = await import('../openapi/document.ts');
      const described = documentOf(await routes(), { templates, keys: admit !== undefined });
      return fixed('application/json', stringifyJson(described));
    },
  );
  const parts = () => import('./docs-page.ts');
  const page = once(async () => fixed('text/html; charset=utf-8', (await parts()).PAGE));
  const files = new Map([
    ['swagger-ui.css', once(() => stored('text/css; charset=utf-8', 'swagger-ui.css'))],
    ['swagger-ui-bundle.js', once(() => stored('text/javascript; charset=utf-8', 'swagger-ui-bundle.js'))],
    ['start.js', once(async () => fixed('text/javascript; charset=utf-8', (await parts()).START))],
  ]);

  async function stored(type: string, name: string) {
    return fixed(type, await readFile(join(docs, name)));
  }

  return [
    route(
      {
        route: 'GET /openapi.json',
        id: 'openapi',
        tag: 'Description',
        summary: 'This document',
        alsoAtRoot: true,
        answers: {
          200: {
            description: 'OpenAPI 3.1',
            content: { 'application/json': { type: 'object' } },
            headers: { ETag: 'Of this document' },
          },
          304: AT_HAND,
        },
      },
      async (c) => answer(c, await document(), AGAIN),
    ),
    route(
      {
        route: 'GET /docs',
        id: 'docs',
        tag: 'Description',
        summary: 'This document as a page',
        alsoAtRoot: true,
        answers: {
          200: {
            description: 'The page',
            content: { 'text/html': { type: 'string' } },
            headers: { ETag: 'Of this page' },
          },
          304: AT_HAND,
        },
      },
      async (c) => {
        const { POLICY } = await parts();
        return answer(c, await page(), { ...AGAIN, 'Content-Security-Policy': POLICY });
      },
    ),
    route(
      {
        route: 'GET /docs/:file',
        id: 'docsFile',
        tag: 'Description',
        summary: 'What the page consists of',
        alsoAtRoot: true,
        parameters: {
          file: part('file', {
            description: 'As the page names it',
            schema: { type: 'string', enum: [...files.keys()] },
          }),
        },
        answers: {
          200: {
            description: 'The file',
            content: { 'text/css': { type: 'string' }, 'text/javascript': { type: 'string' } },
            headers: { ETag: 'Of this file' },
          },
          304: AT_HAND,
        },
        errors: ['route_not_found'],
      },
      async (c, { file }) => {
        const found = files.get(file);
        if (!found) throw new AppError('route_not_found', 'There is nothing at this address');
        return answer(c, await found(), FOR_A_DAY);
      },
    ),
  ];
}
