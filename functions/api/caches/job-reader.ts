// Reads a job for its status. The request part never changes, so a process that has seen it reads the state alone:
// what a polling client costs is halved.

import type { Job } from '../../core/job.ts';
import type { JobRequest } from '../../core/request.ts';
import type { Jobs } from '../../store/jobs.ts';

export interface JobReader {
  /** Strongly. */
  read(jobId: string): Promise<Job | undefined>;
  /** Remembers a request that this process has read or written. */
  know(request: JobRequest): void;
}

const KNOWN = 500;

export function createJobReader(jobs: Jobs): JobReader {
  /** The most recently used last. */
  const known = new Map<string, JobRequest>();

  function know(whole: JobRequest): JobRequest {
    // No status shows the graph.
    const { graph: _graph, ...request } = whole;
    use(request);
    if (known.size > KNOWN) known.delete(known.keys().next().value!);
    return request;
  }

  function use(request: JobRequest): void {
    known.delete(request.jobId);
    known.set(request.jobId, request);
  }

  return {
    know,
    async read(jobId) {
      const request = known.get(jobId);
      if (!request) {
        const job = await jobs.read(jobId);
        return job && { ...job, request: know(job.request) };
      }
      const state = await jobs.readState(jobId);
      // Removed for good, by whichever process.
      if (!state) known.delete(jobId);
      else use(request);
      return state && { state, request };
    },
  };
}
