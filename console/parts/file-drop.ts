// A place that takes a file by drop and by paste, and the choice of one by the browser's dialog.

import { useState } from 'preact/hooks';
import { t } from '../text/index.ts';
import { notify } from './notices.tsx';

/** A file that is dropped beside its place does not take the page's. Called once. */
export function keepPage(): void {
  for (const event of ['dragover', 'drop'] as const)
    addEventListener(event, (dropped) => dropped.preventDefault());
}

export function useFileDrop(onFile: (file: File) => void) {
  const [isOver, setOver] = useState(false);
  const takeFirst = (files: FileList | null | undefined) => {
    const [first] = files ?? [];
    if (first) onFile(first);
    if (files && files.length > 1) notify(t().fileInput.onlyOne(files.length, first!.name), true);
  };
  return {
    isOver,
    /** Of the element over which it is dropped. */
    place: {
      onDragOver(event: DragEvent) {
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: () => setOver(false),
      onDrop(event: DragEvent) {
        event.preventDefault();
        setOver(false);
        takeFirst(event.dataTransfer?.files);
      },
      onPaste: (event: ClipboardEvent) => takeFirst(event.clipboardData?.files),
    },
    /** Of the input that opens the dialog: the same file may be chosen again. */
    onChange(event: { currentTarget: HTMLInputElement }) {
      takeFirst(event.currentTarget.files);
      event.currentTarget.value = '';
    },
  };
}
