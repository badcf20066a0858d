// The webhooks of an owner: what was delivered, what was not and why, and once more.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { Webhook } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { owner as me } from '../../state/me.ts';
import { t, timeOf } from '../../text/index.ts';
import { useRead } from '../../state/read.ts';
import { OwnerChoice } from './usage-by-day.tsx';

const SHOWN = 20;

export function Webhooks({ owners }: { owners: string[] }) {
  const words = t().operations;
  const [owner, setOwner] = useState(me.value ?? '');
  const read = useRead(
    (signal) => call('GET /api/webhooks', { query: { owner, limit: SHOWN }, signal }),
    [owner],
  );
  const resend = async ({ id }: Webhook) => {
    try {
      await call('POST /api/webhooks/{id}/redeliver', { path: { id } });
      notify(words.resent);
    } catch (error) {
      notifyFailure(error);
    }
    await read.again();
  };
  return (
    <>
      <OwnerChoice owners={owners} owner={owner} onOwner={setOwner} />
      <Loaded read={read}>
        {({ webhooks }) => <Sent webhooks={webhooks} onResend={(one) => void resend(one)} />}
      </Loaded>
    </>
  );
}

function Sent({ webhooks, onResend }: { webhooks: Webhook[]; onResend: (one: Webhook) => void }) {
  const words = t().operations;
  if (webhooks.length === 0) return <p class="field-about">{words.noWebhooks}</p>;
  return (
    <ul class="webhooks">
      {webhooks.map((one) => (
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
            <Button icon="again" onClick={() => onResend(one)}>
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
  );
}
