// The API's description: OpenAPI 3.1, and a page that shows it, made by swagger-ui from files that lie here, so that
// nobody else is asked for anything. Open to all, also where the API wants keys: a browser cannot send one to a page, and
// neither holds a secret or anything of a job; the page's Authorize button takes the key for what is tried out.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import { AppError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { answer, fixed, once, onceFor } from '../http/fixed.ts';

const TITLE = 'ComfyUI as a production API';

/** Addresses are relative: /docs and /api/docs are the same page. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${TITLE}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="docs/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> is what it shows.</noscript>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

/** A file, since the page may run no script that stands in it. The key that is typed in stays in the page's memory. */
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#docs',
  layout: 'BaseLayout',
  deepLinking: true,
  validatorUrl: null,
});
`;

/** Scripts and styles from here alone. swagger-ui puts styles on elements and has its small pictures in its CSS. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const AGAIN = { 'Cache-Control': 'no-cache' };
/** A new release may come within a day. */
const FOR_A_DAY = { 'Cache-Control': 'public, max-age=86400' };

type DocsDeps = Pick<ApiDeps, 'workflows' | 'docs' | 'admit'>;

/** To be mounted before keys are asked for, at the root and at /api. */
export function docsRoutes({ workflows, docs, admit }: DocsDeps) {
  const document = onceFor(
    () => workflows.templates,
    async (templates) => {
      // Only whoever reads it pays for it, not every start: a Lambda has it in a file of its own (build.mjs).
      const { documentOf } = await import('../openapi/document.ts');
      return fixed('application/json', stringifyJson(documentOf({ templates, keys: admit !== undefined })));
    },
  );
  const page = fixed('text/html; charset=utf-8', PAGE);
  const files = new Map([
    ['start.js', once(() => Promise.resolve(fixed('text/javascript; charset=utf-8', START)))],
    ['swagger-ui.css', once(() => stored('text/css; charset=utf-8', 'swagger-ui.css'))],
    ['swagger-ui-bundle.js', once(() => stored('text/javascript; charset=utf-8', 'swagger-ui-bundle.js'))],
  ]);

  async function stored(type: string, name: string) {
    return fixed(type, await readFile(join(docs, name)));
  }

  const app = new Hono<ApiEnv>()
    .get('/openapi.json', async (c) => answer(c, await document(), AGAIN))
    .get('/docs', async (c) => answer(c, page, { ...AGAIN, 'Content-Security-Policy': POLICY }))
    .get('/docs/:file', async (c) => {
      const file = files.get(c.req.param('file'));
      if (!file) throw new AppError('route_not_found', 'There is nothing at this address');
      return answer(c, await file(), FOR_A_DAY);
    });
  // Said here, without a key, since what comes later asks for one.
  for (const path of ['/openapi.json', '/docs', '/docs/:file'])
    app.all(path, (c) => {
      c.header('Allow', 'GET');
      throw new AppError('method_not_allowed', `This address takes GET, not ${c.req.method}`);
    });
  return app;
}
