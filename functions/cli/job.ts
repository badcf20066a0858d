// One job, from its inputs to its files: upload, post, follow, save; cancelled after a signal. Every request is repeated
// while the API is silent.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, CommandError, NoAnswer, type Status } from './api.ts';
import { type Connection, persist } from './connection.ts';
import { type Destination, type InputFile, saveImage } from './files.ts';
import type { Progress } from './progress.ts';

const POLL_EVERY = 250;
const CANCEL_LIMIT = 5000;

type Ask = <Answer>(what: (api: Api) => Promise<Answer>) => Promise<Answer>;

export interface Order {
  /** The body of `POST /api/generate`. */
  body: Record<string, string>;
  /** The inputs that are local files, uploaded first. */
  files: InputFile[];
  destination: Destination;
}

/**
 * @param onSaved called with the path of each output once it is written; @param stopped cancels the job
 * @throws CommandError if the job did not complete
 */
export async function makeImages(
  connection: Connection,
  { body, files, destination }: Order,
  progress: Progress,
  onSaved: (path: string) => Promise<void>,
  stopped: AbortSignal,
): Promise<void> {
  const ask: Ask = (what) => persist(connection, what, { onSilence: () => progress.silent(), stopped });

  const uploaded: Record<string, string> = {};
  for (const { input, type, ...file } of files) uploaded[input] = await ask((api) => api.upload(file, type));

  // After a lost answer the request is repeated with the same key: still one job. A signal does not interrupt it, since
  // a job cannot be cancelled without its id.
  const key = randomUUID();
  const { job_id: jobId, notes } = await ask((api) => api.generate({ ...body, ...uploaded }, key));
  for (const note of notes) progress.say(note);
  try {
    const status = await follow(ask, jobId, progress, stopped);
    for (const [index, { filename }] of status.outputs.entries()) {
      const bytes = await ask((api) => api.image(filename));
      const path = await saveImage(destination, filename, index + 1, status.outputs.length, bytes);
      progress.end();
      await onSaved(path);
    }
    progress.say(summaryOf(status));
  } catch (error) {
    if (stopped.aborted) return await cancel(connection, jobId, progress);
    if (error instanceof NoAnswer) throw new CommandError(`${error.message}; it may still make job ${jobId}`);
    throw error;
  }
}

/** Resolves with the completed job. @throws CommandError if it ended otherwise */
async function follow(ask: Ask, jobId: string, progress: Progress, stopped: AbortSignal): Promise<Status> {
  for (;;) {
    const status = await ask((api) => api.status(jobId));
    stopped.throwIfAborted();
    progress.show(status);
    if (status.status === 'completed') return status;
    if (status.status === 'cancelled') throw new CommandError(`The job ${jobId} was cancelled`);
    if (status.status === 'failed') throw new CommandError(`The job ${jobId} failed: ${status.error}`);
    await sleep(POLL_EVERY, undefined, { signal: stopped });
  }
}

async function cancel(connection: Connection, jobId: string, progress: Progress): Promise<void> {
  const patience = { onSilence: () => undefined, stopped: AbortSignal.timeout(CANCEL_LIMIT) };
  try {
    await persist(connection, (api) => api.cancel(jobId), patience);
    progress.say(`The job ${jobId} is cancelled`);
  } catch (error) {
    // The job may have ended just before; the API's answer says so.
    progress.say(`The job ${jobId} could not be cancelled: ${(error as Error).message}`);
  }
}

function summaryOf({ seed_text: seed, created_at, completed_at, simulated }: Status): string {
  const seconds = (Date.parse(completed_at ?? '') - Date.parse(created_at ?? '')) / 1000;
  return [
    ...(seed === null ? [] : [`seed ${seed}`]),
    `${seconds.toFixed(1)} s`,
    ...(simulated ? ['simulated: no model painted this; set COMFYUI_HOST for a real ComfyUI'] : []),
  ].join(', ');
}
