// Routes of what has been: jobs that ran to an end, shaped like ComfyUI's history, and their removal for good.

import type * as z from 'zod';
import { sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { keys, outwardPromptId } from '../../core/names.ts';
import type { JobRequest } from '../../core/request.ts';
import { readGraph } from '../../images/documents.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import type { Listing } from '../caches/totals.ts';
import { json } from '../http/answers.ts';
import { cursorOf, jobId, jobNotFound, owner, page } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { ANSWERS } from '../answers/schemas.ts';
import { pageOfOwned, PLACE, totalOf } from './owned.ts';
import type { Shared } from './shared.ts';

export const historyRoutes = (deps: Shared) => [
  route(
    {
      route: 'GET /history',
      id: 'history',
      tag: 'History',
      summary: 'Jobs that ran to an end, newest first',
      description: 'Shaped like ComfyUI’s own history.',
      scope: 'read',
      parameters: { ...page(PLACE), owner },
      answers: { 200: json('A page of jobs', 'History') },
      errors: ['invalid_field'],
    },
    async (_, { owner, ...asked }) => {
      const { jobs, totals } = deps;
      const [found, total] = await Promise.all([pageOfOwned(jobs, owner, asked, RAN), totals.of(owner, RAN)]);
      const requests = await jobs.readRequests(found.items.map(({ jobId }) => jobId));
      const entries = await Promise.all(
        found.items.map(async (state) => {
          const request = requests.get(state.jobId);
          return [outwardPromptId(state.jobId), await historyEntry(deps, state, request)] as const;
        }),
      );
      return {
        history: Object.fromEntries(entries),
        ...totalOf('total_items', total),
        next_cursor: cursorOf(found.next),
      };
    },
  ),

  route(
    {
      route: 'DELETE /history/:id',
      id: 'removeJob',
      tag: 'History',
      summary: 'Remove a job’s record and images for good',
      scope: 'generate',
      parameters: { id: jobId },
      answers: { 200: json('Removed', 'Removed') },
      errors: ['job_not_found', 'not_ended', 'image_in_use'],
    },
    async (c, { id }) => {
      const { jobs, images, limits, log } = deps;
      const state = await jobs.readState(id);
      if (!state || !sees(c.get('caller'), state.owner)) throw jobNotFound();
      if (!hasEnded(state))
        throw new AppError('not_ended', `Job ${id} has not ended: cancel it first (DELETE /api/queue/${id})`);
      const own = keys.imagesOfJob(id);
      await refuseIfRead(jobs, state.owner, (key) => key.startsWith(own), 'image_in_use');
      await limits.removing(state);
      // Images first: a removal that broke off is repeated while the record is still there.
      const found: string[] = [];
      for await (const { key } of images.list(own)) found.push(key);
      await images.delete([...found, keys.graph(id)]);
      await jobs.remove(id);
      log.info('job.removed', { jobId: id, count: found.length });
      return { status: 'success', message: `Job ${id} removed` };
    },
  ),
];

const RAN: Listing<JobState> = {
  of: ['completed', 'failed'],
  itemsOf: (state) => [state],
  count: () => 1,
};

interface HistoryFile {
  filename: string;
  subfolder: string;
  type: 'output';
}

async function historyEntry(
  { images }: Shared,
  state: JobState,
  request: JobRequest | undefined,
): Promise<z.input<typeof ANSWERS.History>['history'][string]> {
  const promptId = outwardPromptId(state.jobId);
  // Nodes and keys may have any name, also those of an object's own properties.
  const files = new Map<string, Map<string, HistoryFile[]>>();
  for (const { node, key = 'images', filename } of state.outputs ?? []) {
    const byKey = files.get(node) ?? new Map<string, HistoryFile[]>();
    files.set(node, byKey.set(key, [...(byKey.get(key) ?? []), { filename, subfolder: '', type: 'output' }]));
  }
  const outputs = Object.fromEntries([...files].map(([node, byKey]) => [node, Object.fromEntries(byKey)]));
  const graph = request && (await readGraph(images, request));
  return {
    prompt: [state.createdAt, promptId, graph ?? {}, {}, Object.keys(outputs)],
    outputs,
    status: state.status === 'completed' ? 'success' : 'error',
    job_id: state.jobId,
    error: state.error ?? null,
  };
}
