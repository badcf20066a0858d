// A local file to where a link says, from the disk while it is sent: it may be larger than the memory.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { CommandError } from './command-error.ts';

export interface LocalFile {
  name: string;
  path: string;
  sizeBytes: number;
}

/** Of a connection that takes nothing more, ms. */
const IDLE = 60_000;
/** It is there: another request of ours was answered after all. */
const THERE = 412;

/** Hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @throws CommandError where it is refused, else what the connection throws: a retry may help */
export async function putFile(
  { url, headers }: { url: string; headers: Record<string, string> },
  { name, path, sizeBytes }: LocalFile,
): Promise<void> {
  const put = (url.startsWith('https:') ? requestTls : request)(url, {
    method: 'PUT',
    headers: { ...headers, 'content-length': sizeBytes },
    timeout: IDLE,
  });
  put.once('timeout', () => put.destroy(new Error('nothing moved for a minute')));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    put.once('response', resolve);
    put.once('error', reject);
  });
  // The answer says more than that the rest was not taken.
  const sent = pipeline(createReadStream(path, { end: sizeBytes - 1 }), put).catch(() => undefined);
  const answer = await answered;
  const { statusCode = 0 } = answer.resume();
  if (statusCode >= 500) throw new Error(`the upload was answered ${statusCode}`);
  if (statusCode >= 300 && statusCode !== THERE)
    throw new CommandError(
      `${name} was not taken: its upload was answered ${statusCode}; try again, or look into the log of the API`,
    );
  await sent;
}
