// The webhooks of an owner: what was delivered, what was not and why, and once more.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { Webhook } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { owner as me } from '../../state/me.ts';
import { t, timeOf } from '../../text/index.ts';
import { useRead } from '../../state/read.ts';
import { OwnerChoice } from './usage-by-day.tsx';

const SHOWN = 20;

export function Webhooks({ owners }: { owners: string[] }) {
  const words = t().operations;
  const [owner, setOwner] = useState(me.value ?? '');
  const { found, again } = useRead(
    () => call('GET /api/webhooks', { query: { owner, limit: SHOWN } }),
    [owner],
  );
  const resend = async ({ id }: Webhook) => {
    try {
      await call('POST /api/webhooks/{id}/redeliver', { path: { id } });
      notify(words.resent);
    } catch (error) {
      notifyFailure(error);
    }
    await again();
  };
  return (
    <>
      <OwnerChoice owners={owners} owner={owner} onOwner={setOwner} />
      {found?.webhooks.length === 0 && <p class="field-about">{words.noWebhooks}</p>}
      <ul class="webhooks">
        {found?.webhooks.map((one) => (
          <li key={one.id}>
            <p class="row">
              <span
                class={
                  one.status === 'delivered' ? 'badge good' : one.status === 'failed' ? 'badge bad' : 'badge'
                }
              >
                {words.deliveries[one.status]}
              </span>
              <span class="grow webhook-url">{one.url}</span>
              <Button icon="again" onClick={() => void resend(one)}>
                {words.resend}
              </Button>
            </p>
            <p class="field-about">
              {timeOf(one.created_at)} · {one.type} · {words.tries(one.attempts)}
              {one.last_status !== null && ` · ${one.last_status}`}
            </p>
            {one.last_error && <p class="field-error">{one.last_error}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
