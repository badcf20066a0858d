// Jobs whose writes are heard of in this process: a follower of a job does not wait for the next poll.

import type { Jobs } from '../store/jobs.ts';

export function notifyingOfChanges(jobs: Jobs): {
  jobs: Jobs;
  listen(listener: (jobId: string) => void): void;
} {
  const listeners: ((jobId: string) => void)[] = [];
  const notify = (jobId: string) => {
    for (const listener of listeners) listener(jobId);
  };
  return {
    jobs: {
      ...jobs,
      async write(jobId, change) {
        const written = await jobs.write(jobId, change);
        if (written) notify(jobId);
        return written;
      },
      async remove(jobId) {
        await jobs.remove(jobId);
        notify(jobId);
      },
    },
    listen: (listener) => void listeners.push(listener),
  };
}
