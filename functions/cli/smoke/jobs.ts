// One real job for each template; its image is read to the last byte and must have the requested size.

import type { Status, Workflow } from '../api.ts';
import { inspectImage } from '../../images/sniff.ts';
import { BrokenImage } from '../../images/structure/walk.ts';
import { hasEnded } from '../../core/job-state.ts';
import { type Finding, lacking, ok } from '../doctor/check.ts';
import { sizeOf } from './ask.ts';
import { type Inputs, poll, type Smoke, statusOf, wanted } from './smoke.ts';

/** Four times the API's own limit for an upload. */
const MAX_PIXELS = 64_000_000;

/** @throws Found unless the job completes in time */
export async function completed(smoke: Smoke, jobId: string): Promise<Status> {
  let last: Status | undefined;
  const found = await poll(smoke, async () => {
    last = await statusOf(smoke, jobId);
    return hasEnded(last) ? last : undefined;
  });
  if (found?.status === 'completed') return found;
  if (found) throw lacking(`job ${jobId} is ${found.status}: ${found.error}`, 'npm run doctor');
  const waits = last?.waiting_for ? `it waits for ${last.waiting_for}` : `it is ${last?.status}`;
  throw lacking(`no image in time: ${waits}`, 'npm run doctor, then again with more --minutes');
}

export async function imageFinding({ ask }: Smoke, status: Status, inputs: Inputs): Promise<Finding> {
  const [image] = status.images;
  if (!image) throw lacking(`job ${status.job_id} has no image`, 'npm run doctor');
  const answer = wanted(
    await ask(`/api/image/${image.filename}`, { limit: 60_000 }),
    200,
    'GET of the image',
  );
  const { width, height, contentType } = await inspected(answer.bytes, image.filename);
  const size = `${width} × ${height}`;
  const asked = `${inputs['width'] ?? image.width} × ${inputs['height'] ?? image.height}`;
  if (size !== asked || answer.bytes.length !== image.size_bytes)
    throw lacking(
      `${image.filename} is ${size} and ${answer.bytes.length} bytes; ${asked} and ${image.size_bytes} were due`,
      'npm run doctor',
    );
  const simulated = status.simulated ? ', simulated: no model painted it' : '';
  const cost = status.cost_usd === null ? '' : `, $${status.cost_usd.toFixed(4)}`;
  return ok(
    `${size} ${contentType.replace('image/', '')}, ${sizeOf(answer.bytes.length)}${cost}${simulated}`,
  );
}

/** @throws Found unless the bytes are a whole image */
export async function inspected(bytes: Buffer, name: string) {
  try {
    return await inspectImage(bytes, MAX_PIXELS);
  } catch (error) {
    if (!(error instanceof BrokenImage)) throw error;
    throw lacking(`${name} ${error.message}`, 'npm run doctor');
  }
}

/** The workflow's name in the name of a check. */
export function nameOf({ name }: Workflow): string {
  return name.replace(/^flux2_/, '').replaceAll('_', ' ');
}
