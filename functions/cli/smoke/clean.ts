// Nothing is left behind: what the smoke test has made is cancelled and removed, and what could not be is named.

import { createAsk, saidBy } from './ask.ts';
import { type Finding, Found, lacking, ok } from '../doctor/check.ts';
import type { Smoke } from './smoke.ts';

/** ms, for all of it. */
export const CLEANING_LIMIT = 10_000;

/** Also what a signal has broken off is removed. */
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
  // Ended ones are 409, and removed ones 404.
  await Promise.all(jobs.map((jobId) => remove(`/api/queue/${jobId}`, [200, 404, 409])));
  await Promise.all(jobs.map((jobId) => remove(`/api/history/${jobId}`, [200, 404])));
  // A job that reads it must have ended.
  await Promise.all([...made.uploads].map((name) => remove(`/api/upload/image/${name}`, [200, 404])));
  if (left.length > 0) throw lacking('not everything could be removed', left.join('; '));
  return ok(`${count(jobs.length, 'job')} and ${count(made.uploads.size, 'upload')}, gone`);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
