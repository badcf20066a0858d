// A dialog over the page: the browser's own, which keeps the focus in and closes by Escape.

import { computed, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../text/index.ts';
import { IconButton } from './button.tsx';
import { handOn } from './kept-focus.ts';
import { Notices } from './notices.tsx';

/** Those that are open by their ids, the topmost last. */
const opened = signal<string[]>([]);
/** The page below is inert: its notices could be neither heard nor dismissed, so the topmost dialog has them. */
export const isCovered = computed(() => opened.value.length > 0);

interface DialogProps {
  title: string;
  onClose: () => void;
  /** As wide as the window. */
  wide?: boolean;
  /** Only what it holds closes it: no Escape, no cross, no click beside it. */
  staysOpen?: boolean;
  /** Hears the keys that are of no field and no player in it. */
  onKey?: (key: string) => void;
  children: ComponentChildren;
}

/** It is open while it is drawn. */
export function Dialog({ title, onClose, wide, staysOpen, onKey, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  /** Where the pointer went down: what began inside, a stroke or a selection, does not close it outside. */
  const began = useRef<EventTarget | null>(null);
  const isOver = useRef(false);
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const handOnward = opener && handOn(opener);
    const shown = dialog.current!;
    shown.showModal();
    opened.value = [...opened.value, id];
    return () => {
      isOver.current = true;
      opened.value = opened.value.filter((one) => one !== id);
      // While it is open nothing else takes the focus.
      shown.close();
      if (opener instanceof HTMLElement) opener.focus();
      // What opened it may go together with it.
      if (handOnward) queueMicrotask(handOnward);
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      closedby={staysOpen ? 'none' : undefined}
      // Closed by who draws it: it may have turned to something else, and a dialog that is drawn is open. The picker of a file
      // that is in it says `cancel` too.
      onCancel={(event) => {
        if (event.target !== dialog.current) return;
        event.preventDefault();
        if (!staysOpen) onClose();
      }}
      // Pressed again and again, Escape closes it without asking.
      onClose={() => isOver.current || onClose()}
      // The page below hears no keys: it may have its own for them.
      onKeyDown={(event) => {
        event.stopPropagation();
        if (!(event.target as Element).matches('input, select, textarea, audio, video')) onKey?.(event.key);
      }}
      onPointerDown={(event) => {
        began.current = event.target;
      }}
      onClick={(event) =>
        !staysOpen && event.target === dialog.current && began.current === dialog.current && onClose()
      }
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id} dir="auto">
            {title}
          </h2>
          {!staysOpen && <IconButton icon="close" label={t().close} onClick={onClose} />}
        </header>
        {children}
      </div>
      <Notices isHere={opened.value.at(-1) === id} />
    </dialog>
  );
}

interface QuestionProps {
  title: string;
  text: string;
  /** What the button says that does it. */
  yes: string;
  onYes: () => void;
  onClose: () => void;
}

/** Before something that cannot be undone. */
export const Question = ({ title, text, yes, onYes, onClose }: QuestionProps) => (
  <Dialog title={title} onClose={onClose}>
    <p>{text}</p>
    <div class="row end">
      <button type="button" class="button plain" onClick={onClose}>
        {t().back}
      </button>
      <button
        type="button"
        class="button danger"
        onClick={() => {
          onClose();
          onYes();
        }}
      >
        {yes}
      </button>
    </div>
  </Dialog>
);
