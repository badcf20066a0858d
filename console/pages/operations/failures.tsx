// What failed: by code, with the latest jobs of each.

import type { Failures as FailuresView } from '../../api/types.ts';
import { linkTo } from '../../shell/route.ts';
import { numberOf, t, timeOf } from '../../text/index.ts';

export function Failures({ codes }: { codes: FailuresView['codes'] }) {
  const words = t().operations;
  if (codes.length === 0) return <p class="field-about">{words.noFailures}</p>;
  return (
    <ul class="failures">
      {codes.map(({ code, count, jobs }) => (
        <li key={code}>
          <p>
            <code>{code}</code> <span class="badge bad">{numberOf(count)}</span>
          </p>
          <ul>
            {jobs.map((job) => (
              <li key={job.job_id}>
                <a href={linkTo('gallery', [job.job_id])}>{job.job_id.slice(0, 8)}</a>{' '}
                <span class="field-about">
                  {job.owner}, {timeOf(job.ended_at)}
                </span>
                {job.error && <p class="field-error">{job.error}</p>}
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}
