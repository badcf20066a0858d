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

  function know(whole: JobRequest): void {
    // No status shows the graph.
    const { graph: _graph, ...request } = whole;
    known.delete(request.jobId);
    known.set(request.jobId, request);
    if (known.size > KNOWN) known.delete(known.keys().next().value!);
  }

  return {
    know,
    async read(jobId) {
      const request = known.get(jobId);
      if (!request) {
        const job = await jobs.read(jobId);
        if (job) know(job.request);
        return job;
      }
      const state = await jobs.readState(jobId);
      // Removed for good, by whichever process.
      if (!state) known.delete(jobId);
      else know(request);
      return state && { state, request };
    },
  };
}
