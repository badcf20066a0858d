// An image as an input: by drop, paste, file, or from what was made here; with a mask painted on it where that is wanted.

import { useRef, useState } from 'preact/hooks';
import { usePicture } from '../../api/picture.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Field } from '../../parts/field.tsx';
import { useFileDrop } from '../../parts/file-drop.ts';
import { MaskPainter } from '../../parts/mask-painter.tsx';
import { imageWithMask, maskOf } from '../../parts/masked.ts';
import { notifyFailure } from '../../parts/notices.tsx';
import { pngOf } from '../../parts/png.ts';
import { fileOf, pictureOf, upload } from '../../state/uploads.ts';
import { t } from '../../text/index.ts';
import { MadeHere } from './made-here.tsx';

interface ImageFieldProps {
  name: string;
  label: string;
  description?: string | undefined;
  error?: string | undefined;
  /** An upload's name or an output's; empty: none. */
  value: string;
  /** The image on which a mask is painted, for a field that wants a mask. */
  maskFor?: string | undefined;
  onValue: (name: string | undefined) => void;
}

/** Addresses of what a name stands for: small, and whole where that can be had. */
function useImage(name: string): { shown: string | undefined; whole: string | undefined } {
  const uploaded = pictureOf(name);
  const { address } = usePicture(name === '' || uploaded !== undefined ? undefined : name);
  return { shown: uploaded ?? address, whole: fileOf(name) ?? address };
}

export function ImageField({ name, label, description, error, value, maskFor, onValue }: ImageFieldProps) {
  const file = useRef<HTMLInputElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [open, setOpen] = useState<'mask' | 'made' | undefined>(undefined);
  const { shown, whole } = useImage(value);
  const isMask = maskFor !== undefined;
  const base = useImage(maskFor ?? '');
  const words = t().image;

  const take = async (blob: Blob, filename: string) => {
    setBusy(true);
    try {
      onValue(await upload(blob, filename));
    } catch (failure) {
      notifyFailure(failure);
    } finally {
      setBusy(false);
    }
  };
  const { isOver, place, onChange } = useFileDrop((file) => void take(file, file.name));

  const canvasImage = isMask ? base.whole : whole;
  const isSmallOnly = canvasImage === undefined && (isMask ? base.shown : shown) !== undefined;
  return (
    <Field label={label} description={description} error={error}>
      {(described) => (
        <div class={isOver ? 'drop over' : 'drop'} {...place}>
          {shown ? (
            <img class="drop-picture" src={shown} alt={words.chosen} />
          ) : (
            <p class="drop-words">{isBusy ? words.uploading : value || words.drop}</p>
          )}
          <input
            {...described}
            ref={file}
            class="visually-hidden"
            name={name}
            type="file"
            accept="image/png,image/jpeg,image/webp"
            onChange={onChange}
          />
          <div class="row">
            <Button icon="image" onClick={() => file.current?.click()}>
              {words.file}
            </Button>
            <Button icon="gallery" onClick={() => setOpen('made')}>
              {words.made}
            </Button>
            {canvasImage && (
              <Button icon="brush" onClick={() => setOpen('mask')}>
                {words.mask}
              </Button>
            )}
            {value && <IconButton icon="close" label={words.remove} onClick={() => onValue(undefined)} />}
          </div>
          {isSmallOnly && <p class="field-about">{words.smallOnly}</p>}
          {open === 'made' && <MadeHere onChoose={onValue} onClose={() => setOpen(undefined)} />}
          {open === 'mask' && canvasImage && (
            <MaskPainter
              image={canvasImage}
              onClose={() => setOpen(undefined)}
              onDone={(painted, pixels) =>
                void pngOf(isMask ? maskOf(painted) : imageWithMask(pixels, painted)).then((blob) =>
                  take(blob, isMask ? 'mask.png' : 'masked.png'),
                )
              }
            />
          )}
        </div>
      )}
    </Field>
  );
}
