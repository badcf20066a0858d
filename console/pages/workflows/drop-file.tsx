// A place for a file: dropped, pasted or chosen.

import { useRef } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { useFileDrop } from '../../parts/file-drop.ts';
import { t } from '../../text/index.ts';

interface DropFileProps {
  /** One is on its way. */
  isReading: boolean;
  /** Why the last one was not taken. */
  error: string | undefined;
  onFile: (file: File) => void;
}

export function DropFile({ isReading, error, onFile }: DropFileProps) {
  const words = t().workflows;
  const { isOver, place, onChange } = useFileDrop(onFile);
  const input = useRef<HTMLInputElement>(null);
  return (
    <section
      class={isOver ? 'drop over workflow-drop' : 'drop workflow-drop'}
      aria-label={words.add}
      aria-busy={isReading}
      {...place}
    >
      <p class="drop-words">{words.drop}</p>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        aria-label={words.file}
        accept=".json,.png,.webp,application/json,image/png,image/webp"
        onChange={onChange}
      />
      <p>
        <Button icon="workflows" onClick={() => input.current?.click()}>
          {isReading ? t().fileInput.uploading : words.file}
        </Button>
      </p>
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </section>
  );
}
