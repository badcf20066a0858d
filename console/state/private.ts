// What the browser keeps is of one owner: kept under its name, and gone from a tab when that shows another's.

import { computed, type Signal, signal } from '@preact/signals';
import { type Kept, ofDevice, ofTab } from '../api/storage.ts';
import { stored } from './stored.ts';

const FORMER = 'former-owner';

const current = signal<string | undefined>(undefined);

/** Whose page this is now; undefined: it is not known. What a former owner kept goes when there is another. */
export function become(owner: string | undefined): void {
  if (owner !== undefined) {
    const former = ofTab.get(FORMER);
    if (former !== null && former !== owner) removeOf(former);
    ofTab.set(FORMER, owner);
  }
  current.value = owner;
}

/** A `stored` signal of the owner whose page this is; without one it is as at first. */
export const storedOfOwner = <T>(
  name: string,
  initial: T,
  read: (value: unknown) => T,
  storage: Kept = ofDevice,
): Signal<T> =>
  stored(
    computed(() => (current.value === undefined ? undefined : placeOf(current.value, name))),
    initial,
    read,
    storage,
  );

/** All that this browser keeps of the owner whose page this was last. */
export function removeKept(): void {
  const former = ofTab.get(FORMER);
  if (former !== null) removeOf(former);
}

/** Owners' names have no slash. */
const placeOf = (owner: string, name: string) => `of/${owner}/${name}`;

function removeOf(owner: string): void {
  for (const storage of [ofDevice, ofTab])
    for (const name of storage.names()) if (name.startsWith(placeOf(owner, ''))) storage.remove(name);
}
