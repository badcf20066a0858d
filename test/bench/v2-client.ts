// A caller of the Comfy API v2, whoever serves it: the product, or comfy-api-proxy.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Graph } from '../../functions/core/object-info.ts';
import { call, callJson } from './client.ts';

export interface V2Client {
  submit(graph: Graph): Promise<string>;
  /** Asks every `every` ms until the job has ended. Undefined: it is said to have ended without a result. */
  collect(jobId: string, every: number): Promise<Buffer | undefined>;
}

interface Job {
  id: string;
  status: string;
  outputs: { url: string }[];
}

/** @param api such as http://127.0.0.1:5001 */
export function v2Client(api: string): V2Client {
  const jobs = `${api}/api/v2/jobs`;
  return {
    submit: async (graph) => (await callJson<Job>(jobs, 'POST', { workflow: graph })).id,
    async collect(jobId, every) {
      for (;;) {
        const askedAt = performance.now();
        const { status, outputs } = await callJson<Job>(`${jobs}/${jobId}`);
        if (status === 'succeeded') return (await call(outputs[0]!.url)).body;
        if (!['queued', 'running', 'in_progress', 'pending'].includes(status)) return undefined;
        await sleep(Math.max(0, askedAt + every - performance.now()));
      }
    },
  };
}
