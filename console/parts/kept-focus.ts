// Where the focus goes when what has it goes: to what stood after it, else before it, else to what it stood in. On the page's body a
// person with a keyboard or a screen reader would begin anew.

import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, [tabindex]';

/** Of an element that can be focused, and hands the focus on when it goes. */
export function useKeptFocus<E extends HTMLElement>(): RefObject<E | null> {
  const element = useRef<E>(null);
  // Its end comes while the element is still there.
  useLayoutEffect(() => {
    const one = element.current!;
    return () => {
      if (document.activeElement === one) queueMicrotask(handOn(one));
    };
  }, []);
  return element;
}

/** @returns what hands it on, once the element has gone */
export function handOn(element: Element): () => void {
  const levels: { parent: Element; around: Element[] }[] = [];
  // Beyond the body lies nothing to work in; and the body itself has the focus where nothing has it.
  for (let one = element; one !== document.body && one.parentElement; one = one.parentElement) {
    const siblings = [...one.parentElement.children];
    const at = siblings.indexOf(one);
    const around = [...siblings.slice(at + 1), ...siblings.slice(0, at).toReversed()];
    levels.push({ parent: one.parentElement, around });
  }
  return () => {
    // Something else has taken it.
    if (document.activeElement !== document.body) return;
    for (const { parent, around } of levels)
      for (const one of [...around, parent]) {
        const next = one.isConnected ? focusableOf(one) : undefined;
        // The page stays where it is scrolled to.
        next?.focus({ preventScroll: true });
        if (next && document.activeElement === next) return;
      }
  };
}

const focusableOf = (element: Element): HTMLElement | undefined =>
  (element.matches(FOCUSABLE) ? element : element.querySelector(FOCUSABLE)) as HTMLElement | undefined;
