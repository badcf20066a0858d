// The newest job of a workflow that was just saved: what comes of it shows whether it does what it should.

import { asked } from '../../state/jobs.ts';
import { t } from '../../text/index.ts';
import { JobCard } from '../make/job-card.tsx';

export function Trial({ workflow }: { workflow: string }) {
  const one = asked.value.find((job) => job.workflow === workflow);
  if (!one) return null;
  const title = t().workflows.trial(workflow);
  return (
    <section class="trial" aria-label={title}>
      <h2>{title}</h2>
      <JobCard key={one.key} asked={one} />
    </section>
  );
}
