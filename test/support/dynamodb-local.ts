// Amazon's own DynamoDB Local for a whole run of tests, where the environment names its folder. It ends when the run
// does, however that ends: its keeper reads a pipe that closes then.

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { freePort } from './free-port.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of DynamoDB Local; empty: each store is a dynalite of its own. */
    dynamodbUrl: string;
  }
}

/** Background jobs of a shell get no stdin of their own, so the pipe goes by another number. */
const KEEPER = [
  'exec 3<&0',
  'java "$@" 3<&- >/dev/null & pid=$!',
  '{ cat <&3; kill -9 $pid; } >/dev/null 2>&1 &',
  'wait $pid',
].join('\n');
/** It is up in a second; these serve a second less of that, and a machine with two busy cores. */
const SMALL = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
const START_LIMIT = 60_000;

/** Vitest's global setup; DYNAMODB_LOCAL is the folder with DynamoDBLocal.jar. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = process.env['DYNAMODB_LOCAL'];
  const local = directory ? await startDynamoDBLocal(directory) : undefined;
  project.provide('dynamodbUrl', local?.url ?? '');
  return async () => local?.stop();
}

async function startDynamoDBLocal(directory: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const jar = ['-Djava.library.path=DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
  // Not -sharedDb: whoever comes with an access key of their own has tables of their own.
  const settings = ['-inMemory', '-disableTelemetry', '-port', String(port)];
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', ...SMALL, ...jar, ...settings], {
    cwd: directory,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  let hasEnded = false;
  keeper.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => {
    keeper.once('exit', () => {
      hasEnded = true;
      resolve();
    });
  });
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  for (const giveUp = Date.now() + START_LIMIT; !(await answers()); await sleep(50))
    if (hasEnded || Date.now() > giveUp) {
      keeper.stdin.end();
      throw new Error(`DynamoDB Local does not start in ${directory}:\n${said}`);
    }
  return {
    url,
    async stop() {
      keeper.stdin.end();
      await ended;
    },
  };
}
