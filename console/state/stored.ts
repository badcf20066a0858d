// A signal that lasts: what is set is kept in the browser's storage, and other tabs hear of it.

import { effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type Kept, ofDevice } from '../api/storage.ts';

/**
 * @param name where it is kept, which may change: then it holds what is kept there. Undefined: it is not known yet, and nothing is
 * kept
 * @param read checks what was stored, by whatever version of the page
 */
export function stored<T>(
  name: string | ReadonlySignal<string | undefined>,
  initial: T,
  read: (value: unknown) => T,
  storage: Kept = ofDevice,
): Signal<T> {
  const parse = (text: string | null): T => {
    try {
      return text === null ? initial : read(JSON.parse(text));
    } catch {
      return initial;
    }
  };
  const textOf = (value: T) => (value === undefined ? null : JSON.stringify(value));
  const place = typeof name === 'string' ? signal(name) : name;
  const found = signal(initial);
  let at: string | undefined;
  let known: string | null = null;
  const take = (text: string | null) => {
    found.value = parse(text);
    known = textOf(found.peek());
  };
  effect(() => {
    at = place.value;
    take(at === undefined ? null : storage.get(at));
  });
  effect(() => {
    const text = textOf(found.value);
    if (text === known || at === undefined) return;
    known = text;
    if (text === null) storage.remove(at);
    else storage.set(at, text);
  });
  if (storage === ofDevice)
    addEventListener('storage', ({ key, newValue }) => {
      // What is of a caller is removed by a tab that leaves; this one does not.
      if (key === at && (newValue !== null || typeof name === 'string')) take(newValue);
    });
  return found;
}
