// Errors are not cached: a path that was 404 and exists now, and one of another owner. An endpoint that caches errors
// repeats the first answer to every caller.

import { randomUUID } from 'node:crypto';
import { type Check, lacking, notChecked, ok } from '../doctor/check.ts';
import { saidBy } from './ask.ts';
import { cancel, type Inputs, type Smoke, statusOf, submit, wanted } from './smoke.ts';

const KEPT =
  'npm run deploy, with the release that this program is of: its CloudFront keeps no errors (CustomErrorResponses)';

/** @param inputs of jobs that are ended at once */
export function errorChecks(smoke: Smoke, inputs: () => Promise<Inputs>): Check[] {
  const { ask, key, otherKey } = smoke;
  return [
    {
      name: 'second answer',
      async run() {
        // The same key gives the same id, also after the job was removed.
        const idempotencyKey = randomUUID();
        const wish = await inputs();
        const jobId = await submit(smoke, wish, idempotencyKey);
        await cancel(smoke, jobId);
        const removal = await ask(`/api/history/${jobId}`, { method: 'DELETE' });
        wanted(removal, 200, `DELETE /api/history/${jobId}`);
        wanted(await ask(`/api/status/${jobId}`), 404, 'the status of a job that was removed');
        await submit(smoke, wish, idempotencyKey);
        const answer = await ask(`/api/status/${jobId}`);
        await cancel(smoke, jobId);
        if (answer.status !== 200)
          throw lacking(`a job that was 404 and exists now is still answered ${saidBy(answer)}`, KEPT);
        return ok('a job that was 404 and exists now is 200');
      },
    },
    {
      name: 'other owners',
      async run() {
        if (key === undefined) return notChecked('the API was asked without a key');
        const unknown = `/api/status/${randomUUID()}`;
        wanted(await ask(unknown), 404, 'the status of no job');
        const keyless = await ask(unknown, { key: null });
        if (keyless.status !== 401)
          throw lacking(`a request without a key got the answer to another's: ${saidBy(keyless)}`, KEPT);
        if (otherKey === undefined)
          return ok(
            "a request without a key does not get another's 404 (--other-key, of another owner, checks more)",
          );
        const jobId = await submit(smoke, await inputs());
        const asked = await ask(`/api/status/${jobId}`, { key: otherKey });
        wanted(
          asked,
          404,
          "the status of another owner's job",
          'give a key without the scope admin as --other-key',
        );
        const own = await ask(`/api/status/${jobId}`);
        await cancel(smoke, jobId);
        if (own.status !== 200)
          throw lacking(`its owner got the answer to another's request: ${saidBy(own)}`, KEPT);
        return ok("another's job is 404, and its owner's own all the same");
      },
    },
    {
      name: 'cancel',
      async run() {
        const jobId = await submit(smoke, await inputs());
        if (!(await cancel(smoke, jobId))) return notChecked('the job had ended before it was cancelled');
        const { status } = await statusOf(smoke, jobId);
        if (status !== 'cancelled')
          throw lacking(`job ${jobId} is ${status} after it was cancelled`, 'npm run doctor');
        return ok('cancelled at once');
      },
    },
  ];
}
