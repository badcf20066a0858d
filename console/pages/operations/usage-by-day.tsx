// What an owner used, day by day: images and dollars.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { UsageByDay as Usage } from '../../api/types.ts';
import { Failed } from '../../parts/failed.tsx';
import { Plot } from '../../parts/plot.tsx';
import { owner as me, usage } from '../../state/me.ts';
import { numberOf, t } from '../../text/index.ts';
import { useRead } from '../../state/read.ts';
import { OwnerChoice } from './owner-choice.tsx';

const DAYS = 30;

export function UsageByDay({ owners }: { owners: string[] }) {
  const [owner, setOwner] = useState(me.value ?? '');
  const read = useRead(
    (signal) => call('GET /api/admin/usage', { query: { owner, days: DAYS }, signal }),
    [owner],
  );
  return (
    <>
      {usage.value?.limited === false && <p class="field-about">{t().operations.notCounted}</p>}
      <OwnerChoice owners={owners} owner={owner} onOwner={setOwner} />
      {read.failure === undefined ? (
        // Empty plots have the place of full ones.
        <Days days={read.found?.days ?? []} />
      ) : (
        <Failed error={read.failure} again={read.again} />
      )}
    </>
  );
}

function Days({ days }: { days: Usage['days'] }) {
  const words = t().operations;
  const labels = days.map(({ day }) => day);
  return (
    <div class="plots">
      <Plot
        title={words.images}
        labels={labels}
        series={[{ name: words.images, values: days.map(({ images }) => images), how: 'bar' }]}
        say={numberOf}
      />
      <Plot
        title={words.dollars}
        labels={labels}
        series={[{ name: '$', values: days.map(({ usd }) => usd), how: 'bar' }]}
        say={(value) => `$${numberOf(value, 4)}`}
      />
    </div>
  );
}
