// The console: a page for people, at the root. It is open to all, as the docs page is: a browser cannot send a key to a page, and
// it holds no one's data. What it shows it asks of the API. Files are made by build.mjs from the folder console/.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { ApiApp, ApiDeps, ApiEnv } from '../deps.ts';
import { answer, type Fixed, fixed, once } from '../http/fixed.ts';
import { refuseOthers } from '../http/methods.ts';
import { problems } from '../http/problems.ts';

export type ConsoleDeps = Pick<ApiDeps, 'console' | 'presigner' | 'settings' | 'log'>;

const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** Their names change with what they hold. */
const FOR_GOOD = { 'Cache-Control': 'public, max-age=31536000, immutable' };

/** Scripts and styles are files from here; texts never become markup. @param bucket the origin of links, where it is another */
const policyOf = (bucket: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob: ${bucket}`,
    `media-src 'self' blob: ${bucket}`,
    `connect-src 'self' ${bucket}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
    .map((line) => line.trim())
    .join('; ');

export function createConsole({ console: folder, presigner, settings, log }: ConsoleDeps): ApiApp {
  const app = new Hono<ApiEnv>();
  const page = once(async () => {
    const html = await readFile(join(folder, 'index.html')).catch(() => {
      throw new AppError('route_not_found', 'The console was not built: run node build.mjs');
    });
    return { html: fixed('text/html; charset=utf-8', html), policy: policyOf(await bucketOf()) };
  });
  const files = once(async () => {
    const names = await readdir(folder);
    return new Map<string, () => Promise<Fixed>>(
      names.flatMap((name) => {
        const type = TYPES[name.split('.').at(-1)!];
        return type === undefined
          ? []
          : [[name, once(async () => fixed(type, await readFile(join(folder, name))))]];
      }),
    );
  });

  /** Links lead there: images and films are shown from it, and large files are put to it. */
  async function bucketOf(): Promise<string> {
    if (settings.links === 'request') return '';
    if (settings.links !== 'bucket') return settings.links.origin;
    return new URL(await presigner.link({ key: 'images/any' })).origin;
  }

  app.get('/', async (c) => {
    const { html, policy } = await page();
    return answer(c, html, { 'Cache-Control': 'no-cache', 'Content-Security-Policy': policy });
  });
  app.get('/console/:file', async (c) => {
    const file = (await files()).get(c.req.param('file'));
    if (!file) throw new AppError('route_not_found', 'There is nothing at this address');
    return answer(c, await file(), FOR_GOOD);
  });
  app.onError(problems(log));
  app.notFound(refuseOthers(app));
  return app;
}
