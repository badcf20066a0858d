// Before `npm run test:lambda`: the bundles as they are now, and the real Lambda runtime client. The client has a native
// part that is built once, into a folder beside the bundles (LAMBDA_RIC names another): not everybody has a compiler, so
// it is no dependency, and without it the tests say that they are skipped.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { packageRoot } from '../../functions/runtime/workflows.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of aws-lambda-ric; empty where it cannot be had. */
    runtimeClient: string;
    /** Why not, for the names of the tests that are skipped. */
    runtimeClientLacks: string;
  }
}

const VERSION = '4.0.2';
const BUILD_LIMIT = 600_000;
const run = promisify(execFile);

/** Vitest's global setup. */
export default async function setup(project: TestProject): Promise<void> {
  for (const target of ['local', 'lambda'])
    await run(process.execPath, ['build.mjs', target], { cwd: packageRoot() });
  const folder = resolve(process.env['LAMBDA_RIC'] || join(packageRoot(), '.build', 'ric'));
  const client = join(folder, 'node_modules', 'aws-lambda-ric');
  const isThere = () => existsSync(join(client, 'rapid-client.node'));
  const lacks = isThere() ? undefined : await install(folder);
  project.provide('runtimeClient', isThere() ? client : '');
  project.provide('runtimeClientLacks', isThere() ? '' : (lacks ?? 'it has no native part'));
}

/** Undefined, or why it cannot be. */
async function install(folder: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private":true,"allowScripts":{"aws-lambda-ric":true}}\n');
  // The headers that lie beside Node itself: else they would be downloaded.
  const nodedir = dirname(dirname(process.execPath));
  const headers = existsSync(join(nodedir, 'include', 'node', 'node_api.h'));
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', `aws-lambda-ric@${VERSION}`], {
      cwd: folder,
      timeout: BUILD_LIMIT,
      env: { ...process.env, ...(headers && { npm_config_nodedir: nodedir }) },
    });
    return undefined;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const said = stderr.split('\n').filter((line) => /error/i.test(line));
    return (said.at(0) ?? message).slice(0, 200);
  }
}
