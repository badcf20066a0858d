// The caller's key: kept for this tab, or on this device where the person asks for that. It goes into a header, never into an
// address.

import { signal } from '@preact/signals';

const NAME = 'api-key';

export const key = signal(sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME) ?? undefined);

/** The API has refused what was sent: no key, or one that is not valid any more. */
export const refused = signal(false);

export function keepKey(value: string, onDevice: boolean): void {
  forgetKey();
  (onDevice ? localStorage : sessionStorage).setItem(NAME, value);
  key.value = value;
}

export function forgetKey(): void {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
  key.value = undefined;
}
