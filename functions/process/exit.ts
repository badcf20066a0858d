// How our programs end: by a signal after tidying up, or with one line about what to change.

import { AppError } from '../core/errors.ts';

/** Exit 1; a stack trace only for what is a mistake of ours. */
export function explainAndExit(error: unknown): never {
  if (error instanceof AppError) process.stderr.write(`${error.message}\n`);
  else if (isOfPlaces(error))
    process.stderr.write(
      `The job table or the image bucket does not serve this process: ${error.message}. ${PLACES}\n`,
    );
  else console.error(error);
  process.exit(1);
}

const PLACES =
  'See AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_S3, AWS_REGION, TABLE_PREFIX, IMAGES_BUCKET and the credentials';

/** The SDK gave up, was refused, or found nothing to sign with. */
function isOfPlaces(error: unknown): error is Error {
  return error instanceof Error && ('$metadata' in error || error.name === 'CredentialsProviderError');
}

/** The first signal tidies up and ends with `code()`, the second ends at once: nothing is lost by that either. */
export function onStopSignal(tidyUp: (signal: NodeJS.Signals) => Promise<void>, code = () => 0): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) process.exit(130);
      stopping = true;
      tidyUp(signal).then(() => process.exit(code()), explainAndExit);
    });
}

/** Last of all: tells whoever started this process that it is up, by a line on stdout and, where there is a channel, a message. */
export function sayReady(ready: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, ...ready })}\n`);
  process.send?.(ready);
}
