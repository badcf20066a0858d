// Routes of what has been: jobs that ran to an end, shaped like ComfyUI's history, and their removal for good.

import { sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { hasEnded } from '../../core/job.ts';
import { keys, PLACE_AMONG_OUTPUTS } from '../../core/names.ts';
import type { Images } from '../../images/images.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import { json } from '../http/answers.ts';
import { jobId, jobNotFound, owner, page } from '../http/parameters.ts';
import { route } from '../http/route.ts';
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
      parameters: { ...page(PLACE_AMONG_OUTPUTS), owner },
      answers: { 200: json('A page of jobs', 'History') },
      errors: ['invalid_field'],
    },
    async (_, { owner, ...asked }) => (await import('./owned.ts')).listHistory(deps, owner, asked),
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
      const found = await keysBelow(images, own, keys.derivedOfJob(id));
      await images.delete([...found, keys.graph(id)]);
      await jobs.remove(id);
      // What was made of its images since then; what is made from here on finds no job.
      await images.delete(await keysBelow(images, keys.derivedOfJob(id)));
      log.info('job.removed', { jobId: id, count: found.length });
      return { status: 'success', message: `Job ${id} removed` };
    },
  ),
];

async function keysBelow(images: Images, ...prefixes: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const prefix of prefixes) for await (const { key } of images.list(prefix)) found.push(key);
  return found;
}
