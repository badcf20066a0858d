// Claims a job by one conditional write, and makes sure of its outcome. Source: docs/architecture.md, "The host process".

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

/** Whether this run has written the attempt's start. */
export function hasStarted({ state }: Claimed): boolean {
  return state.status === 'processing';
}

/** Claims a job that was waiting when read. Returns undefined if another host has it or it waits no longer. */
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
    // It still waits at the attempt as read: the claim was refused against older state. Otherwise it is claimed or ended.
    if (!settled || !waits(settled) || settled.attempt !== state.attempt) return undefined;
    state = settled;
  }
}

/** @param kind of the ComfyUI that asks; undefined matches any */
export function isFor({ acceptedFor }: JobState, kind: ComfyUIKind | undefined): boolean {
  return acceptedFor === undefined || kind === undefined || acceptedFor === kind;
}

export function waits(state: JobState): boolean {
  return state.status === 'queued' && state.host === undefined;
}

/** Adopts a job that a former run of this machine held. Returns undefined if the job has moved on. */
export async function adoptJob(writer: Writer, job: Job, hostId: string): Promise<Claimed | undefined> {
  const change = adopt(job.state, hostId);
  const fence = { attempt: job.state.attempt, host: hostId };
  const settled = await writeConfirmed(writer, job.state.jobId, change, fence);
  return settled === 'written' ? { ...job, state: { ...job.state, host: hostId }, fence } : undefined;
}
