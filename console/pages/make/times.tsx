// How many jobs are asked for at once.

import { useId } from 'preact/hooks';
import { t } from '../../text/index.ts';
import { wordsOf } from './fault-words.ts';
import { times, timesFault } from './forms.ts';

export function Times() {
  const id = useId();
  const fault = wordsOf(timesFault.value);
  return (
    <>
      <label class="row">
        {t().make.times}
        <input
          class="times"
          type="text"
          inputMode="numeric"
          autocomplete="off"
          value={times.value}
          aria-invalid={fault ? true : undefined}
          aria-describedby={fault && id}
          onInput={(event) => {
            times.value = event.currentTarget.value;
            timesFault.value = undefined;
          }}
        />
      </label>
      {fault && (
        <p class="field-error" id={id}>
          {fault}
        </p>
      )}
    </>
  );
}
