// The last hours: how many jobs ended, how long they had waited and run, and webhooks where there were some.

import type { Hours as HoursView } from '../../api/types.ts';
import { Plot } from '../../parts/plot.tsx';
import { durationOf, language, numberOf, t } from '../../text/index.ts';

export function Hours({ hours: { intervals } }: { hours: HoursView }) {
  const words = t().operations;
  const clock = new Intl.DateTimeFormat(language.value, { hour: '2-digit', minute: '2-digit' });
  const labels = intervals.map(({ at }) => clock.format(new Date(at)));
  const seconds = (value: number) => durationOf(value, 2);
  const tries = [
    { name: words.delivered, values: intervals.map(({ webhooks }) => webhooks.delivered) },
    { name: words.givenUp, values: intervals.map(({ webhooks }) => webhooks.given_up) },
    // The last try of one that was given up has failed too.
    {
      name: words.retried,
      values: intervals.map(({ webhooks }) => webhooks.failed_tries - webhooks.given_up),
    },
  ];
  return (
    <div class="plots">
      <Plot
        title={words.throughput}
        labels={labels}
        series={[
          { name: words.completed, values: intervals.map(({ completed }) => completed), how: 'bar' },
          { name: words.failed, values: intervals.map(({ failed }) => failed), how: 'bar' },
          { name: words.cancelled, values: intervals.map(({ cancelled }) => cancelled), how: 'bar' },
        ]}
        say={numberOf}
      />
      <Plot
        title={words.wait}
        labels={labels}
        series={[
          { name: 'p50', values: intervals.map(({ wait_seconds: { p50 } }) => p50), how: 'line' },
          { name: 'p95', values: intervals.map(({ wait_seconds: { p95 } }) => p95), how: 'line' },
        ]}
        say={seconds}
      />
      {tries.some(({ values }) => values.some((value) => value > 0)) && (
        <Plot
          title={words.webhookTries}
          labels={labels}
          series={tries.map((one) => ({ ...one, how: 'bar' }))}
          say={numberOf}
        />
      )}
    </div>
  );
}
