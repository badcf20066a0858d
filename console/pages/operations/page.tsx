// Operations: the hosts, the queue, the last hours, what failed, keys and webhooks. For keys with the scope admin.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import { IconButton } from '../../parts/button.tsx';
import { Loaded } from '../../parts/loaded.tsx';
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
  const hosts = useRead((signal) => call('GET /api/admin/hosts', { signal }), [], EVERY);
  const queue = useRead((signal) => call('GET /api/admin/queue', { signal }), [], EVERY);
  const ended = useRead(
    (signal) => call('GET /api/admin/hours', { query: { hours }, signal }),
    [hours],
    4 * EVERY,
  );
  const failed = useRead(
    (signal) => call('GET /api/admin/failures', { query: { hours }, signal }),
    [hours],
    4 * EVERY,
  );
  const keys = useRead((signal) => call('GET /api/admin/keys', { signal }), []);
  const limits = useRead((signal) => call('GET /api/admin/limits', { signal }), []);
  const owners = [...new Set(keys.found?.keys.map(({ owner }) => owner))];
  const readKeys = () => {
    void keys.again();
    void limits.again();
  };
  return (
    <div class="operations">
      <section class="panel">
        <h2>{words.hosts}</h2>
        <Loaded read={hosts}>{({ hosts }) => <Hosts hosts={hosts} />}</Loaded>
      </section>
      <section class="panel">
        <h2>{words.queue}</h2>
        <Loaded read={queue}>{(found) => <Queue queue={found} />}</Loaded>
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
        <Loaded read={ended}>{(found) => <Hours hours={found} />}</Loaded>
      </section>
      <section class="panel whole">
        <h2>{words.failures}</h2>
        <Loaded read={failed}>{({ codes }) => <Failures codes={codes} />}</Loaded>
      </section>
      <section class="panel whole">
        <div class="row">
          <h2 class="grow">{words.keys}</h2>
          <IconButton icon="again" label={words.refresh} onClick={readKeys} />
        </div>
        <Loaded read={keys}>{({ keys }) => <Keys keys={keys} onChange={readKeys} />}</Loaded>
      </section>
      <section class="panel whole">
        <h2>{words.limits}</h2>
        <Loaded read={limits}>
          {(found) => <Limits limits={found} onChange={() => void limits.again()} />}
        </Loaded>
      </section>
      <section class="panel whole">
        <h2>{words.usage}</h2>
        <UsageByDay owners={owners} />
      </section>
      <section class="panel whole">
        <h2>{words.webhooks}</h2>
        <Webhooks owners={owners} />
      </section>
    </div>
  );
}
