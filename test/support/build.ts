// Bundles the sources once for a whole run of tests, when the first file needs a program: Vitest's own process builds, and
// the workers ask it to by HTTP.

import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { listenOn } from './listen-on.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers 204 once the programs are built, 500 with what the build said. */
    buildUrl: string;
  }
}

const run = promisify(execFile);
let built: Promise<unknown> | undefined;

/** Vitest's global setup. */
export default async function setup(project: TestProject): Promise<() => void> {
  const server = createServer(async (_request, response) => {
    try {
      await (built ??= run(process.execPath, ['build.mjs'], { cwd: packageRoot() }));
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  project.provide('buildUrl', await listenOn(server));
  // In watch mode the sources have changed since.
  project.onTestsRerun(() => void (built = undefined));
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
