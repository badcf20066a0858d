// What an owner used, day by day: images and dollars.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { UsageByDay as Usage } from '../../api/types.ts';
import { Failed } from '../../parts/failed.tsx';
import { Plot } from '../../parts/plot.tsx';
import { owner as me } from '../../state/me.ts';
import { numberOf, t } from '../../text/index.ts';
import { useRead } from '../../state/read.ts';

const DAYS = 30;

export function UsageByDay({ owners }: { owners: string[] }) {
  const [owner, setOwner] = useState(me.value ?? '');
  const read = useRead(
    (signal) => call('GET /api/admin/usage', { query: { owner, days: DAYS }, signal }),
    [owner],
  );
  return (
    <>
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
    <>
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
    </>
  );
}

interface OwnerChoiceProps {
  owners: string[];
  owner: string;
  onOwner: (owner: string) => void;
}

/** The caller itself, and those who have keys. */
export const OwnerChoice = ({ owners, owner, onOwner }: OwnerChoiceProps) => (
  <label class="row">
    {t().operations.owner}
    <select value={owner} onInput={(event) => onOwner(event.currentTarget.value)}>
      {[...new Set([owner, ...owners])].map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  </label>
);
