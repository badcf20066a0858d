// A file as an input: by drop, paste, the browser's dialog, or from what was made here. A sound or a film of this machine is played.

import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../../parts/button.tsx';
import { Field } from '../../parts/field.tsx';
import { useFileDrop } from '../../parts/file-drop.ts';
import { fileOf, upload } from '../../state/uploads.ts';
import { type FileType, missedBy } from '../../state/file-types.ts';
import { t } from '../../text/index.ts';
import { failAt, isUploading, uploadInto } from './forms.ts';
import { MadeHere } from './made-here.tsx';

export interface FileFieldProps {
  workflow: string;
  name: string;
  label: string;
  description?: string | undefined;
  error?: string | undefined;
  /** An upload's name or an output's; empty: none. */
  value: string;
  onValue: (name: string | undefined) => void;
}

interface PlaceProps extends FileFieldProps {
  type: FileType;
  /** Of the chosen file; absent: its name is shown. */
  preview?: ComponentChildren;
  /** Beside the buttons. */
  more?: ComponentChildren;
  /** Below them. */
  below?: ComponentChildren;
}

const ACCEPTED: Record<FileType, string | undefined> = {
  image: 'image/png,image/jpeg,image/webp',
  audio: 'audio/*,video/*',
  video: 'video/*',
  file: undefined,
};

/** Uploaded, as the field's value. @returns the name that stands for it; undefined: it failed, and that was said, or the field got another */
export async function take(
  { workflow, name }: Pick<FileFieldProps, 'workflow' | 'name'>,
  blob: Blob | Promise<Blob>,
  filename: string,
): Promise<string | undefined> {
  try {
    return await uploadInto(workflow, name, async (signal) => upload(await blob, filename, signal));
  } catch (failure) {
    failAt(workflow, name, failure);
    return undefined;
  }
}

export function FileField({ type, ...field }: FileFieldProps & { type: FileType }) {
  const address = fileOf(field.value);
  const about = {
    src: address,
    controls: true,
    preload: 'metadata',
    'aria-label': t().fileInput.chosen,
  } as const;
  // What is made or recorded by people has no captions here.
  const player =
    type === 'video' ? <video class="drop-picture" {...about} /> : type === 'audio' && <audio {...about} />;
  return <FilePlace {...field} type={type} preview={address && player} />;
}

export function FilePlace(props: PlaceProps) {
  const { workflow, name, type, value, onValue, preview, more, below, ...field } = props;
  const file = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const words = t().fileInput;
  const { isOver, place, onChange } = useFileDrop((one) => {
    // Not only once all of a film has been uploaded.
    const missed = missedBy(type, one.type);
    if (missed === undefined) void take(props, one, one.name);
    else failAt(workflow, name, new Error(`${one.name}: ${words.missed[missed]}`));
  });
  const isBusy = isUploading(workflow, name);
  return (
    <Field {...field}>
      {(described) => (
        <div class={isOver ? 'drop over' : 'drop'} aria-busy={isBusy} {...place}>
          <div class="drop-shown">
            {preview}
            {(isBusy || !preview) && (
              <p class="drop-words">{isBusy ? words.uploading : value || words.drop[type]}</p>
            )}
          </div>
          <input
            {...described}
            ref={file}
            class="visually-hidden"
            name={name}
            type="file"
            accept={ACCEPTED[type]}
            onChange={onChange}
          />
          <div class="row">
            <Button icon={type === 'image' ? 'image' : 'file'} onClick={() => file.current?.click()}>
              {words.file}
            </Button>
            <Button icon="gallery" onClick={() => setOpen(true)}>
              {words.made}
            </Button>
            {more}
            {(value || isBusy) && (
              <IconButton icon="close" label={words.remove[type]} onClick={() => onValue(undefined)} />
            )}
          </div>
          {below}
          {isOpen && <MadeHere type={type} onChoose={onValue} onClose={() => setOpen(false)} />}
        </div>
      )}
    </Field>
  );
}
