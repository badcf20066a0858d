// Why a job waits, in the language of the page.

import type { JobStatus } from '../api/types.ts';
import { durationOf, t } from '../text/index.ts';

type Waits = Pick<
  JobStatus,
  'waiting_for' | 'waiting_code' | 'waiting_detail' | 'waiting_seconds' | 'missing'
>;

/** Undefined: it does not wait. A code that this page does not know, of a newer API, is said as the API says it. */
export function whyItWaits(job: Waits): string | undefined {
  const { waiting_for: sentence, waiting_code: code, waiting_detail: detail, waiting_seconds: seconds } = job;
  if (sentence === null) return undefined;
  const words = t().job;
  if (code === null || !Object.hasOwn(words.waits, code)) return words.waitsFor(sentence);
  const said = words.waits[code];
  const missing = job.missing.map(({ value, class_type: type }) => value ?? type).join(', ');
  return [typeof said === 'string' ? said : said(durationOf(seconds ?? 0)), detail ?? missing]
    .filter(Boolean)
    .join(': ');
}
