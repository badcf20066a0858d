// How our programs end: by a signal after tidying up, or with one line about what to change.

import { inspect } from 'node:util';
import { AppError } from '../core/errors.ts';
import { withoutSecrets } from '../core/secrets.ts';

/**
 * Exit 1; a stack trace only for what is a mistake of ours.
 * @param places what decides where the tables and the bucket are, and whether they serve
 */
export function explainAndExit(error: unknown, storage = STORAGE_DOCS): never {
  process.stderr.write(`${withoutSecrets(explained(error, storage))}\n`);
  process.exit(1);
}

function explained(error: unknown, storage: string): string {
  if (error instanceof AppError) return error.message;
  if (isTooManyFiles(error)) return 'Too few open files are allowed: raise ulimit -n';
  if (isOfStorage(error))
    return `The job table or the image bucket does not serve this process: ${error.message}. See ${storage}`;
  return inspect(error);
}

const STORAGE_DOCS =
  'AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_S3, AWS_REGION, TABLE_PREFIX, IMAGES_BUCKET and the credentials';

/** The SDK gave up, was refused, or found nothing to sign with. */
function isOfStorage(error: unknown): error is Error {
  return error instanceof Error && ('$metadata' in error || error.name === 'CredentialsProviderError');
}

function isTooManyFiles(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}

/** What this process and its children write (prompts, images, keys) is readable by this user alone. */
export function writePrivately(): void {
  process.umask(0o077);
}

const SHELL_POLLED_EVERY = 500;

/** A reader of the output, a terminal or `head`, may go first: without this the next line ends the process. */
export function ignoreBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/**
 * The first signal tidies up and ends with `code()`, the second ends at once: nothing is lost by that either. A terminal
 * that closes says so twice, by itself and by its shell: that is no second wish.
 */
export function onStopSignal(tidyUp: (signal: NodeJS.Signals) => Promise<void>, code = () => 0): void {
  ignoreBrokenPipes();
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (stopping && signal === 'SIGHUP') return;
      if (stopping) process.exit(130);
      stopping = true;
      tidyUp(signal).then(() => process.exit(code()), explainAndExit);
    });
  if (process.env['npm_lifecycle_event'] !== undefined) endWithTheShell();
}

/**
 * npm and npx pass a signal on to the shell that they run us by, which dies of it without a word (npm 11.19.1 with dash;
 * seen: the API went on, and kept its workspace). Its death is the signal then.
 */
function endWithTheShell(): void {
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, SHELL_POLLED_EVERY).unref();
}

/** Reports to the parent that this process is up: a line on stdout and, over IPC, a message. Called last. */
export function reportReady(ready: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, ...ready })}\n`);
  process.send?.(ready);
}
