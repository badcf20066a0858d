// Asks for the key where the API wants one. It is kept for this tab, unless the person asks for more.

import { computed } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { ApiFailure, call } from '../api/call.ts';
import { forgetKey, keepKey, key, refused } from '../api/key.ts';
import { isGivenUp } from '../api/pause.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { messageOf } from '../parts/notices.tsx';
import { removeKept } from '../state/private.ts';
import { t } from '../text/index.ts';
import { follow, linkTo } from './route.ts';

export const wantsKey = computed(() => refused.value && key.value === undefined);

export function KeyForm() {
  const [typed, setTyped] = useState('');
  const [onDevice, setOnDevice] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const isAsking = useRef(false);
  const words = t().key;
  const enter = async () => {
    if (typed.trim() === '') {
      setError(words.empty);
      return;
    }
    const candidate = typed.trim();
    if (isAsking.current) return;
    isAsking.current = true;
    try {
      // Kept when it is known to open something.
      await call('GET /api/usage', { key: candidate });
    } catch (failure) {
      if (isGivenUp(failure)) return;
      const status = failure instanceof ApiFailure ? failure.status : undefined;
      // What a valid key may not, the page says.
      if (status !== 403) {
        setError(status === 401 ? words.wrong : messageOf(failure));
        return;
      }
    } finally {
      isAsking.current = false;
    }
    keepKey(candidate, onDevice);
  };
  return (
    <form
      class="panel key-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void enter();
      }}
    >
      <h2>{words.title}</h2>
      <Field label={words.label} description={words.about} error={error}>
        {(described) => (
          <input
            {...described}
            name="key"
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </Field>
      <label class="row">
        <input
          type="checkbox"
          checked={onDevice}
          onInput={(event) => setOnDevice(event.currentTarget.checked)}
        />
        {words.remember}
      </label>
      <Button type="submit" kind="main" icon="key">
        {words.enter}
      </Button>
    </form>
  );
}

/** Forgets the key, what it showed, and what was typed under it. */
export function leave(): void {
  forgetKey();
  removeKept();
  follow(linkTo(''), true);
}
