// An image as an input: shown, with a mask painted on it where that is wanted.

import { useState } from 'preact/hooks';
import { usePicture } from '../../api/picture.ts';
import { Button } from '../../parts/button.tsx';
import { MaskPainter } from '../../parts/mask-painter.tsx';
import { imageWithMask, maskOf } from '../../parts/masked.ts';
import { pngOf } from '../../parts/png.ts';
import type { Stroke } from '../../parts/strokes.ts';
import { baseOf, keepPainted, paintedOn } from '../../state/painted.ts';
import { fileOf, pictureOf } from '../../state/uploads.ts';
import { t } from '../../text/index.ts';
import { type FileFieldProps, FilePlace, take } from './file-field.tsx';

interface ImageFieldProps extends FileFieldProps {
  /** Whether a mask makes a difference. */
  takesMask: boolean;
  /** The image on which a mask is painted, for a field that wants a mask. */
  maskFor?: string | undefined;
}

/** Addresses of what a name stands for: small, and whole where that can be had. */
function useImage(name: string): { shown: string | undefined; whole: string | undefined } {
  const uploaded = pictureOf(name);
  const { address } = usePicture(name === '' || uploaded !== undefined ? undefined : name);
  return { shown: uploaded ?? address, whole: fileOf(name) ?? address };
}

export function ImageField({ takesMask, maskFor, ...field }: ImageFieldProps) {
  const [isPainting, setPainting] = useState(false);
  const { shown } = useImage(field.value);
  const isMask = maskFor !== undefined;
  const base = maskFor ?? baseOf(field.value) ?? field.value;
  const canvas = useImage(base);
  const words = t().image;

  const painted = isMask ? baseOf(field.value) : undefined;
  const isOfOther = painted !== undefined && base !== '' && painted !== base;
  const isSmallOnly = canvas.whole === undefined && canvas.shown !== undefined;
  const takePainted = async (strokes: readonly Stroke[], drawn: ImageData, pixels: ImageData) => {
    const blob = pngOf(isMask ? maskOf(drawn) : imageWithMask(pixels, drawn));
    const name = await take(field, blob, isMask ? 'mask.png' : 'masked.png');
    if (name !== undefined) keepPainted(name, base, strokes);
  };
  return (
    <FilePlace
      {...field}
      type="image"
      preview={shown && <img class="drop-picture" src={shown} alt={words.chosen} />}
      more={
        takesMask &&
        canvas.whole && (
          <Button icon="brush" onClick={() => setPainting(true)}>
            {words.mask}
          </Button>
        )
      }
      below={
        <>
          {isOfOther && <p class="warning">{words.otherMask}</p>}
          {takesMask && isSmallOnly && <p class="field-about">{words.smallOnly}</p>}
          {isPainting && canvas.whole && (
            <MaskPainter
              image={canvas.whole}
              before={paintedOn(base, field.value)}
              onClose={() => setPainting(false)}
              onDone={(...done) => void takePainted(...done)}
            />
          )}
        </>
      }
    />
  );
}
