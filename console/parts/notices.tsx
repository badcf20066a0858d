// Notices at the edge of the page, said by screen readers too: that the API is away or asks to wait, as long as it is so; what was
// done, which goes by itself; and what failed, until it is dismissed.

import { signal } from '@preact/signals';
import { connection } from '../api/connection.ts';
import { onKeyChange } from '../api/key.ts';
import { limited } from '../api/limited.ts';
import { isGivenUp } from '../api/pause.ts';
import { t } from '../text/index.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

const SHOWN_FOR = 6000;
const MOST = 3;

interface Notice {
  id: number;
  text: string;
  isFault: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

const notices = signal<Notice[]>([]);
let last = 0;
onKeyChange(() => notices.value.forEach(dismiss));

export function notify(text: string, isFault = false): void {
  // Said once, however often it happens.
  const same = notices.value.find((one) => one.text === text && one.isFault === isFault);
  clearTimeout(same?.timer);
  const one: Notice = same ?? { id: (last += 1), text, isFault };
  if (!isFault) one.timer = setTimeout(() => dismiss(one), SHOWN_FOR);
  if (same) return;
  // What was done gives way to what failed.
  if (notices.value.length >= MOST)
    dismiss(notices.value.find((other) => !other.isFault) ?? notices.value[0]!);
  notices.value = [...notices.value, one];
}

/** It may cover what a person is about to press. */
function dismiss({ id, timer }: Notice): void {
  clearTimeout(timer);
  notices.value = notices.value.filter((one) => one.id !== id);
}

/** What a failed action says. */
export function notifyFailure(error: unknown): void {
  if (!isGivenUp(error)) notify(messageOf(error), true);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @param isHere false: they are elsewhere now. Readers say what comes into a region that is there, so it stays, empty. */
export const Notices = ({ isHere }: { isHere: boolean }) => (
  <div class="notices" role="status" aria-live="polite" aria-atomic="false">
    {isHere &&
      (connection.value === 'lost' ? (
        <p class="notice lasting">
          <Icon name="warning" />
          {t().lost}
        </p>
      ) : (
        limited.value && <p class="notice lasting">{t().limited}</p>
      ))}
    {isHere &&
      notices.value.map((one) => (
        <div key={one.id} class={one.isFault ? 'notice fault' : 'notice'}>
          <p>{one.text}</p>
          <IconButton icon="close" label={t().dismiss} onClick={() => dismiss(one)} />
        </div>
      ))}
  </div>
);
