// Routes of what has been: jobs that ran to an end, shaped like ComfyUI's history, and their removal for good.

import { Hono } from 'hono';
import { sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { keys, outwardPromptId } from '../../core/names.ts';
import type { JobRequest } from '../../core/request.ts';
import { readGraph } from '../../images/documents.ts';
import { cursorOf, pageQuery, totalOf } from '../http/body.ts';
import { needs } from '../http/access.ts';
import { exactJson } from '../http/exact-json.ts';
import { type ApiEnv, type Shared } from '../deps.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import { jobIdOf, notFound } from './jobs.ts';
import { askedOwner, type Listing, pageOfOwned, PLACE } from './owned.ts';

export function historyRoutes(deps: Shared) {
  const { jobs, images, log, totals } = deps;
  return new Hono<ApiEnv>()
    .get('/history', needs('read'), async (c) => {
      const owner = askedOwner(c);
      const [page, total] = await Promise.all([
        pageOfOwned(jobs, owner, pageQuery(c, PLACE), RAN),
        totals.of(owner, RAN),
      ]);
      const requests = await jobs.readRequests(page.items.map(({ jobId }) => jobId));
      const entries = await Promise.all(
        page.items.map(async (state) => {
          const request = requests.get(state.jobId);
          return [outwardPromptId(state.jobId), await historyEntry(deps, state, request)] as const;
        }),
      );
      return exactJson(c, {
        history: Object.fromEntries(entries),
        ...totalOf('total_items', total),
        next_cursor: page.next === undefined ? null : cursorOf(page.next),
      });
    })

    .delete('/history/:id', needs('generate'), async (c) => {
      const jobId = jobIdOf(c);
      const state = await jobs.readState(jobId);
      if (!state || !sees(c.get('caller'), state.owner)) throw notFound();
      if (!hasEnded(state))
        throw new AppError(
          'not_ended',
          `Job ${jobId} has not ended: cancel it first (DELETE /api/queue/${jobId})`,
        );
      const own = keys.imagesOfJob(jobId);
      await refuseIfRead(jobs, state.owner, (key) => key.startsWith(own), 'image_in_use');
      await deps.limits.removing(state);
      // Images first: a removal that broke off is repeated while the record is still there.
      const found: string[] = [];
      for await (const { key } of images.list(own)) found.push(key);
      await images.delete([...found, keys.graph(jobId)]);
      await jobs.remove(jobId);
      log.info('job removed', { job_id: jobId, images: found.length });
      return c.json({ status: 'success', message: `Job ${jobId} removed` });
    });
}

const RAN: Listing<JobState> = {
  of: ['completed', 'failed'],
  itemsOf: (state) => [state],
  count: () => 1,
};

async function historyEntry({ images }: Shared, state: JobState, request: JobRequest | undefined) {
  const promptId = outwardPromptId(state.jobId);
  const outputs: Record<string, { images: { filename: string; subfolder: string; type: string }[] }> = {};
  for (const { node, filename } of state.images ?? [])
    (outputs[node] ??= { images: [] }).images.push({ filename, subfolder: '', type: 'output' });
  const graph = request && (await readGraph(images, request));
  return {
    prompt: [state.createdAt, promptId, graph ?? {}, {}, Object.keys(outputs)],
    outputs,
    status: state.status === 'completed' ? 'success' : 'error',
    job_id: state.jobId,
    error: state.error ?? null,
  };
}
