// The caller's key: kept for this tab, or on this device where the person asks for that. It goes into a header, never into an
// address.

import { signal } from '@preact/signals';
import { ofDevice, ofTab } from './storage.ts';

const NAME = 'api-key';

export const key = signal(ofTab.get(NAME) ?? ofDevice.get(NAME) ?? undefined);

/** The API has refused what was sent: no key, or one that is not valid any more. */
export const refused = signal(false);

let ofKey = new AbortController();

/** Aborted when there is another key: what was asked for under this one is given up. */
export const signalOfKey = (): AbortSignal => ofKey.signal;

const forgets: (() => void)[] = [];

/** What is known under a key goes with it. @param forget called at each change */
export function onKeyChange(forget: () => void): void {
  forgets.push(forget);
}

export function keepKey(value: string, onDevice: boolean): void {
  (onDevice ? ofTab : ofDevice).remove(NAME);
  (onDevice ? ofDevice : ofTab).set(NAME, value);
  change(value);
}

export function forgetKey(): void {
  ofTab.remove(NAME);
  ofDevice.remove(NAME);
  refused.value = true;
  change(undefined);
}

function change(to: string | undefined): void {
  if (to === key.value) return;
  key.value = to;
  const former = ofKey;
  ofKey = new AbortController();
  former.abort();
  for (const forget of forgets) forget();
}

// The device's key is that of all its tabs which have none of their own.
addEventListener('storage', ({ key: name, newValue }) => {
  if ((name !== NAME && name !== null) || ofTab.get(NAME) !== null) return;
  if (newValue === null) refused.value = true;
  change(newValue ?? undefined);
});
