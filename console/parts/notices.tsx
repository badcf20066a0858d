// Short notices at the edge of the page, said by screen readers too. They go by themselves; what must be read stands elsewhere.

import { signal } from '@preact/signals';

const SHOWN_FOR = 6000;

const notices = signal<{ id: number; text: string; isFault: boolean }[]>([]);
let last = 0;

export function notify(text: string, isFault = false): void {
  const id = (last += 1);
  notices.value = [...notices.value.slice(-2), { id, text, isFault }];
  setTimeout(() => (notices.value = notices.value.filter((one) => one.id !== id)), SHOWN_FOR);
}

/** What a failed action says. */
export function notifyFailure(error: unknown): void {
  notify(error instanceof Error ? error.message : String(error), true);
}

export const Notices = () => (
  <div class="notices" role="status" aria-live="polite">
    {notices.value.map(({ id, text, isFault }) => (
      <p key={id} class={isFault ? 'notice fault' : 'notice'}>
        {text}
      </p>
    ))}
  </div>
);
