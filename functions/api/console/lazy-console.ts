// Where the console hangs in the API, before keys are asked for: its page at the root, its files in a folder.

import type { Handler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { lazily } from '../facade/lazy.ts';
import type { ConsoleDeps } from './app.ts';

export const CONSOLE = ['/', '/console/*'];

export function lazyConsole(deps: ConsoleDeps): Handler<ApiEnv> {
  return lazily(async () => import('./app.ts').then(({ createConsole }) => createConsole(deps)));
}
