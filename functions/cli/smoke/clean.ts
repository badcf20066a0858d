// Cancels and removes what the smoke test has made, and names what could not be removed.

import { createAsk, saidBy } from './ask.ts';
import { type Finding, Found, lacking, ok } from '../doctor/check.ts';
import type { Smoke } from './smoke.ts';

/** ms, for the whole cleanup. */
export const CLEANING_LIMIT = 10_000;

/** Runs after a signal too. */
export async function cleanUp(
  { url, key, made }: Pick<Smoke, 'url' | 'key' | 'made'>,
  limit = CLEANING_LIMIT,
): Promise<Finding> {
  const ask = createAsk(url, key, new AbortController().signal, { until: Date.now() + limit });
  const left: string[] = [];
  const remove = async (path: string, fine: number[]) => {
    const answer = await ask(path, { method: 'DELETE' }).catch((error: unknown) => {
      if (!(error instanceof Found)) throw error;
      return undefined;
    });
    if (!answer || !fine.includes(answer.status))
      left.push(`DELETE ${path} (${answer ? saidBy(answer) : 'no answer'})`);
  };
  const jobs = [...made.jobs];
  // Jobs that have ended answer 409, removed ones 404.
  await Promise.all(jobs.map((jobId) => remove(`/api/queue/${jobId}`, [200, 404, 409])));
  await Promise.all(jobs.map((jobId) => remove(`/api/history/${jobId}`, [200, 404])));
  // An upload can be removed only after the jobs that read it have ended.
  await Promise.all([...made.uploads].map((name) => remove(`/api/upload/image/${name}`, [200, 404])));
  if (left.length > 0) throw lacking('not everything could be removed', left.join('; '));
  return ok(`${count(jobs.length, 'job')} and ${count(made.uploads.size, 'upload')}, gone`);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
