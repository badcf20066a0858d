// Operations: the hosts, the queue, the last hours, what failed, keys and webhooks. For keys with the scope admin.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import { IconButton } from '../../parts/button.tsx';
import { t } from '../../text/index.ts';
import { Failures } from './failures.tsx';
import { Hosts } from './hosts.tsx';
import { Hours } from './hours.tsx';
import { Keys } from './keys.tsx';
import { Limits } from './limits.tsx';
import { Queue } from './queue.tsx';
import { useRead } from '../../state/read.ts';
import { UsageByDay } from './usage-by-day.tsx';
import { Webhooks } from './webhooks.tsx';

/** Rounds of the figures that change by themselves. */
const EVERY = 5000;

export default function Operations() {
  const words = t().operations;
  const [hours, setHours] = useState(6);
  const hosts = useRead(() => call('GET /api/admin/hosts'), [], EVERY);
  const queue = useRead(() => call('GET /api/admin/queue'), [], EVERY);
  const ended = useRead(() => call('GET /api/admin/hours', { query: { hours } }), [hours], 4 * EVERY);
  const failed = useRead(() => call('GET /api/admin/failures', { query: { hours } }), [hours], 4 * EVERY);
  const keys = useRead(() => call('GET /api/admin/keys'), []);
  const limits = useRead(() => call('GET /api/admin/limits'), []);
  const owners = [...new Set(keys.found?.keys.map(({ owner }) => owner))];
  const readKeys = () => {
    void keys.again();
    void limits.again();
  };
  return (
    <div class="operations">
      <section class="panel">
        <h2>{words.hosts}</h2>
        {hosts.found ? <Hosts hosts={hosts.found.hosts} /> : <div class="skeleton section-skeleton" />}
      </section>
      <section class="panel">
        <h2>{words.queue}</h2>
        {queue.found ? <Queue queue={queue.found} /> : <div class="skeleton section-skeleton" />}
      </section>
      <section class="panel whole">
        <div class="row">
          <h2 class="grow">{words.hours}</h2>
          <label class="row">
            {words.span}
            <select value={hours} onInput={(event) => setHours(Number(event.currentTarget.value))}>
              {[1, 6, 24].map((one) => (
                <option key={one} value={one}>
                  {words.lastHours(one)}
                </option>
              ))}
            </select>
          </label>
        </div>
        {ended.found ? <Hours hours={ended.found} /> : <div class="skeleton section-skeleton" />}
      </section>
      <section class="panel whole">
        <h2>{words.failures}</h2>
        {failed.found ? <Failures codes={failed.found.codes} /> : <div class="skeleton section-skeleton" />}
      </section>
      <section class="panel whole">
        <div class="row">
          <h2 class="grow">{words.keys}</h2>
          <IconButton icon="again" label={words.refresh} onClick={readKeys} />
        </div>
        {keys.found ? (
          <Keys keys={keys.found.keys} onChange={readKeys} />
        ) : (
          <div class="skeleton section-skeleton" />
        )}
      </section>
      <section class="panel whole">
        <h2>{words.limits}</h2>
        {limits.found ? (
          <Limits limits={limits.found} onChange={() => void limits.again()} />
        ) : (
          <div class="skeleton section-skeleton" />
        )}
      </section>
      <section class="panel">
        <h2>{words.usage}</h2>
        <UsageByDay owners={owners} />
      </section>
      <section class="panel">
        <h2>{words.webhooks}</h2>
        <Webhooks owners={owners} />
      </section>
    </div>
  );
}
