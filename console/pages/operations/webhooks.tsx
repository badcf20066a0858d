// The webhooks of all owners, by owner and state: what was delivered, what was not and why, and once more.

import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { OwnersWebhooks } from '../../api/types.ts';
import { isGivenUp } from '../../api/pause.ts';
import { Button } from '../../parts/button.tsx';
import { Failed } from '../../parts/failed.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { numberOf, t, timeOf } from '../../text/index.ts';
import { OwnerChoice } from './owner-choice.tsx';

type Webhook = OwnersWebhooks['webhooks'][number];

const SHOWN = 20;
const STATES = ['pending', 'delivered', 'failed'] as const;

export function Webhooks({ owners }: { owners: string[] }) {
  const words = t().operations;
  const [owner, setOwner] = useState('');
  const [state, setState] = useState('');
  const { found, failure, next, again, more, replace } = useWebhooks(owner, state);
  const resend = async (one: Webhook) => {
    try {
      replace({ ...one, ...(await call('POST /api/webhooks/{id}/redeliver', { path: { id: one.id } })) });
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
      {failure !== undefined && <Failed error={failure} again={again} />}
      {failure === undefined && found === undefined && <div class="skeleton section-skeleton" />}
      <ul class="webhooks">
        {found?.map((one) => (
          <li key={one.id}>
            <p class="row">
              <span class={BADGES[one.status]}>{words.deliveries[one.status]}</span>
              <span class="grow">{one.url}</span>
              <Button icon="again" onClick={() => void resend(one)}>
                {words.resend}
              </Button>
            </p>
            <p class="field-about">
              {one.owner} · {timeOf(one.created_at)} · {one.type} · {words.tries(one.attempts)}
              {one.last_status !== null && ` · ${one.last_status}`}
            </p>
            {one.last_error && <p class="field-error">{one.last_error}</p>}
          </li>
        ))}
      </ul>
      {found && (
        <p class="row">
          <span class="field-about" role="status">
            {found.length > 0
              ? words.shown(numberOf(found.length))
              : next === null
                ? words.noWebhooks
                : words.noneYet}
          </span>
          {next !== null && <Button onClick={() => void more()}>{words.showMore}</Button>}
        </p>
      )}
    </>
  );
}

const BADGES = { delivered: 'badge good', failed: 'badge bad', pending: 'badge' };

/** Those that were read so far, page by page; begins anew where others are meant. */
function useWebhooks(owner: string, state: string) {
  const [found, setFound] = useState<Webhook[] | undefined>(undefined);
  const [next, setNext] = useState<string | null>(null);
  /** Of the first page; of a further one it is a notice. */
  const [failure, setFailure] = useState<unknown>(undefined);
  /** Answers about what is no longer meant come too late. */
  const meant = useRef({});
  const read = async (cursor?: string) => {
    const { current } = meant;
    const query = {
      limit: SHOWN,
      ...(owner && { owner }),
      ...(state && { state }),
      ...(cursor && { cursor }),
    };
    try {
      const page = await call('GET /api/admin/webhooks', { query });
      if (current !== meant.current) return;
      const known = new Set(page.webhooks.map(({ id }) => id));
      setFound((before = []) => [
        ...(cursor === undefined ? [] : before.filter(({ id }) => !known.has(id))),
        ...page.webhooks,
      ]);
      setNext(page.next_cursor);
    } catch (error) {
      if (current !== meant.current || isGivenUp(error)) return;
      if (cursor !== undefined) return notifyFailure(error);
      setFound(undefined);
      setFailure(error);
    }
  };
  const begin = async () => {
    meant.current = {};
    setNext(null);
    setFailure(undefined);
    await read();
  };
  useEffect(() => void begin(), [owner, state]);
  return {
    found,
    failure,
    next,
    again: begin,
    more: () => read(next ?? undefined),
    replace: (one: Webhook) =>
      setFound((before) => before?.map((other) => (other.id === one.id ? one : other))),
  };
}
