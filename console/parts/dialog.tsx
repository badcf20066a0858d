// A dialog over the page: the browser's own, which keeps the focus in and closes by Escape.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../text/index.ts';
import { IconButton } from './button.tsx';
import { handOn } from './kept-focus.ts';

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
    return () => {
      isOver.current = true;
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
      onCancel={(event) => staysOpen && event.preventDefault()}
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
        !staysOpen &&
        event.target === dialog.current &&
        began.current === dialog.current &&
        dialog.current?.close()
      }
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id} dir="auto">
            {title}
          </h2>
          {!staysOpen && (
            <IconButton icon="close" label={t().close} onClick={() => dialog.current?.close()} />
          )}
        </header>
        {children}
      </div>
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
