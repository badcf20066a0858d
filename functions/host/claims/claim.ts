// Taking a job: one conditional write, and certainty about what became of it. Source: docs/architecture.md, "The host process".

import {
  adopt,
  claim,
  type ComfyUIKind,
  type Fence,
  isHeldBy,
  type JobState,
  type Job,
} from '../../core/job.ts';
import { writeConfirmed, type Writer, untilAnswered } from './confirmed-write.ts';

export interface Claimed extends Job {
  fence: Fence;
}

/** Has this attempt's start been written, as far as this run knows? */
export function hasStarted({ state }: Claimed): boolean {
  return state.status === 'processing';
}

/** Claims a job that waited when it was read. Undefined: somebody else has it, or it does not wait any more. */
export async function claimJob(
  writer: Writer,
  { request, state: read }: Job,
  hostId: string,
  simulated: boolean,
  now: () => number,
): Promise<Claimed | undefined> {
  const { jobId } = request;
  for (let state = read; ;) {
    const change = claim(state, hostId, now(), simulated);
    const fence = { attempt: state.attempt + 1, host: hostId };
    const settled: JobState | undefined = await untilAnswered(writer, jobId, 'claim', async () => {
      if (await writer.jobs.write(jobId, change)) return { ...state, ...change.set };
      return writer.jobs.readState(jobId);
    });
    if (settled && isHeldBy(settled, fence)) return { request, state: settled, fence };
    // Still waiting at the attempt as read: the refusal was of an older picture. Anything else is somebody's.
    if (!settled || !waits(settled) || settled.attempt !== state.attempt) return undefined;
    state = settled;
  }
}

/** @param kind of the ComfyUI that asks; any where it is not said */
export function isFor({ acceptedFor }: JobState, kind: ComfyUIKind | undefined): boolean {
  return acceptedFor === undefined || kind === undefined || acceptedFor === kind;
}

export function waits(state: JobState): boolean {
  return state.status === 'queued' && state.host === undefined;
}

/** Takes over what a former run of this machine held. Undefined: it moved on. */
export async function adoptJob(writer: Writer, job: Job, hostId: string): Promise<Claimed | undefined> {
  const change = adopt(job.state, hostId);
  const fence = { attempt: job.state.attempt, host: hostId };
  const settled = await writeConfirmed(writer, job.state.jobId, change, fence);
  return settled === 'written' ? { ...job, state: { ...job.state, host: hostId }, fence } : undefined;
}
