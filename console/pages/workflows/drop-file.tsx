// A place for a file: dropped, pasted or chosen.

import { useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { t } from '../../text/index.ts';

export function DropFile({ onFile }: { onFile: (file: File) => void }) {
  const words = t().workflows;
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const first = (files: FileList | null | undefined) => {
    const [file] = files ?? [];
    if (file) onFile(file);
  };
  return (
    <section
      class={isOver ? 'drop over workflow-drop' : 'drop workflow-drop'}
      aria-label={words.add}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        first(event.dataTransfer?.files);
      }}
      onPaste={(event) => first(event.clipboardData?.files)}
    >
      <p class="drop-words">{words.drop}</p>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        aria-label={words.file}
        accept=".json,.png,.webp,application/json,image/png,image/webp"
        onChange={(event) => {
          first(event.currentTarget.files);
          event.currentTarget.value = '';
        }}
      />
      <p>
        <Button icon="workflows" onClick={() => input.current?.click()}>
          {words.file}
        </Button>
      </p>
    </section>
  );
}
