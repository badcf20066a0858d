// A signal that lasts: what is set is kept in the browser's storage, and other tabs hear of it.

import { effect, type Signal, signal } from '@preact/signals';

/** @param read checks what was stored, by whatever version of the page. */
export function stored<T>(
  name: string,
  initial: T,
  read: (value: unknown) => T,
  storage: Storage = localStorage,
): Signal<T> {
  const parse = (text: string | null): T => {
    try {
      return text === null ? initial : read(JSON.parse(text));
    } catch {
      return initial;
    }
  };
  const found = signal(parse(storage.getItem(name)));
  let known = storage.getItem(name);
  effect(() => {
    const text = found.value === undefined ? null : JSON.stringify(found.value);
    if (text === known) return;
    known = text;
    try {
      if (text === null) storage.removeItem(name);
      else storage.setItem(name, text);
    } catch {
      // The storage is full, or the browser allows none: it lasts as long as the page.
    }
  });
  if (storage === localStorage)
    addEventListener('storage', ({ key, newValue }) => {
      if (key !== name) return;
      known = newValue;
      found.value = parse(newValue);
    });
  return found;
}
