// The webhooks of all owners, by owner and state: what was delivered, what was not and why, and once more.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { OwnersWebhooks } from '../../api/types.ts';
import { useBusy } from '../../parts/busy.ts';
import { Button } from '../../parts/button.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { useRead } from '../../state/read.ts';
import { numberOf, t, timeOf } from '../../text/index.ts';
import { OwnerChoice } from './owner-choice.tsx';

type Webhook = OwnersWebhooks['webhooks'][number];

const SHOWN = 20;
const STATES = ['pending', 'delivered', 'failed'] as const;

export function Webhooks({ owners }: { owners: string[] }) {
  const words = t().operations;
  const [owner, setOwner] = useState('');
  const [state, setState] = useState('');
  const read = useRead((signal) => pageOf(owner, state, signal), [owner, state]);
  const more = () =>
    read.goOn((found, signal) => pageOf(owner, state, signal, found.next_cursor ?? undefined), joined);
  const resend = async (one: Webhook) => {
    try {
      const sent = await call('POST /api/webhooks/{id}/redeliver', { path: { id: one.id } });
      read.change((found) => ({
        ...found,
        webhooks: found.webhooks.map((other) => (other.id === one.id ? { ...one, ...sent } : other)),
      }));
      notify(words.resent);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <>
      <div class="row">
        <OwnerChoice owners={owners} owner={owner} everybody={words.everybody} onOwner={setOwner} />
        <label class="row">
          {words.state}
          <select value={state} onInput={(event) => setState(event.currentTarget.value)}>
            <option value="">{words.anyState}</option>
            {STATES.map((one) => (
              <option key={one} value={one}>
                {words.deliveries[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Loaded read={read}>
        {({ webhooks, next_cursor: next }) => (
          <>
            <ul class="webhooks">
              {webhooks.map((one) => (
                <li key={one.id}>
                  <p class="row">
                    <span class={BADGES[one.status]}>{words.deliveries[one.status]}</span>
                    <span class="grow">{one.url}</span>
                    <Resend onResend={() => resend(one)} />
                  </p>
                  <p class="field-about">
                    {one.owner} · {timeOf(one.created_at)} · {one.type} · {words.tries(one.attempts)}
                    {one.last_status !== null && ` · ${one.last_status}`}
                  </p>
                  {one.last_error && <p class="field-error">{one.last_error}</p>}
                </li>
              ))}
            </ul>
            <p class="row">
              <span class="field-about" role="status">
                {webhooks.length > 0
                  ? words.shown(numberOf(webhooks.length))
                  : next === null
                    ? words.noWebhooks
                    : words.noneYet}
              </span>
              {next !== null && <Button onClick={() => void more()}>{words.showMore}</Button>}
            </p>
          </>
        )}
      </Loaded>
    </>
  );
}

function Resend({ onResend }: { onResend: () => Promise<void> }) {
  const [isBusy, begin] = useBusy();
  return (
    <Button icon="again" busy={isBusy} onClick={() => void begin(onResend)}>
      {t().operations.resend}
    </Button>
  );
}

const BADGES = { delivered: 'badge good', failed: 'badge bad', pending: 'badge' };

const pageOf = (owner: string, state: string, signal: AbortSignal, cursor?: string) =>
  call('GET /api/admin/webhooks', {
    query: { limit: SHOWN, owner: owner || undefined, state: state || undefined, cursor },
    signal,
  });

/** One that was sent again since stands where it is now. */
function joined(before: OwnersWebhooks, page: OwnersWebhooks): OwnersWebhooks {
  const known = new Set(page.webhooks.map(({ id }) => id));
  return { ...page, webhooks: [...before.webhooks.filter(({ id }) => !known.has(id)), ...page.webhooks] };
}
