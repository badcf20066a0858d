// A file as an input: by drop, paste, the browser's dialog, or from what was made here. A sound or a film of this machine is played.

import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../../parts/button.tsx';
import { Field } from '../../parts/field.tsx';
import { useFileDrop } from '../../parts/file-drop.ts';
import { notifyFailure } from '../../parts/notices.tsx';
import { fileOf, upload } from '../../state/uploads.ts';
import type { FileType } from '../../state/file-types.ts';
import { t } from '../../text/index.ts';
import { MadeHere } from './made-here.tsx';

export interface FileFieldProps {
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
  uploading: Uploading;
  /** Of the chosen file; absent: its name is shown. */
  preview?: ComponentChildren;
  /** Beside the buttons. */
  more?: ComponentChildren;
  /** Below them. */
  below?: ComponentChildren;
}

interface Uploading {
  isBusy: boolean;
  /** @returns the name that stands for it; undefined: it failed, and that was said */
  take(blob: Blob, filename: string): Promise<string | undefined>;
}

const ACCEPTED: Record<FileType, string | undefined> = {
  image: 'image/png,image/jpeg,image/webp',
  audio: 'audio/*,video/*',
  video: 'video/*',
  file: undefined,
};

/** @param onValue called with the name that stands for what was uploaded */
export function useUpload(onValue: (name: string) => void): Uploading {
  const [isBusy, setBusy] = useState(false);
  const take = async (blob: Blob, filename: string) => {
    setBusy(true);
    try {
      const name = await upload(blob, filename);
      onValue(name);
      return name;
    } catch (failure) {
      notifyFailure(failure);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, take };
}

export function FileField({ type, ...field }: FileFieldProps & { type: FileType }) {
  const uploading = useUpload(field.onValue);
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
  return <FilePlace {...field} type={type} uploading={uploading} preview={address && player} />;
}

export function FilePlace(props: PlaceProps) {
  const { name, type, value, onValue, uploading, preview, more, below, ...field } = props;
  const file = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const { isOver, place, onChange } = useFileDrop((one) => void uploading.take(one, one.name));
  const words = t().fileInput;
  return (
    <Field {...field}>
      {(described) => (
        <div class={isOver ? 'drop over' : 'drop'} {...place}>
          {preview || (
            <p class="drop-words">{uploading.isBusy ? words.uploading : value || words.drop[type]}</p>
          )}
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
            {value && (
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
