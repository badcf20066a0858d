// An image as an input: shown, with a mask painted on it where that is wanted.

import { useState } from 'preact/hooks';
import { usePicture } from '../../api/picture.ts';
import { Button } from '../../parts/button.tsx';
import { MaskPainter } from '../../parts/mask-painter.tsx';
import { imageWithMask, maskOf } from '../../parts/masked.ts';
import { pngOf } from '../../parts/png.ts';
import { fileOf, pictureOf } from '../../state/uploads.ts';
import { t } from '../../text/index.ts';
import { type FileFieldProps, FilePlace, useUpload } from './file-field.tsx';

interface ImageFieldProps extends FileFieldProps {
  /** The image on which a mask is painted, for a field that wants a mask. */
  maskFor?: string | undefined;
}

/** Addresses of what a name stands for: small, and whole where that can be had. */
function useImage(name: string): { shown: string | undefined; whole: string | undefined } {
  const uploaded = pictureOf(name);
  const { address } = usePicture(name === '' || uploaded !== undefined ? undefined : name);
  return { shown: uploaded ?? address, whole: fileOf(name) ?? address };
}

export function ImageField({ maskFor, ...field }: ImageFieldProps) {
  const [isPainting, setPainting] = useState(false);
  const uploading = useUpload(field.onValue);
  const { shown, whole } = useImage(field.value);
  const isMask = maskFor !== undefined;
  const base = useImage(maskFor ?? '');
  const words = t().image;

  const canvasImage = isMask ? base.whole : whole;
  const isSmallOnly = canvasImage === undefined && (isMask ? base.shown : shown) !== undefined;
  return (
    <FilePlace
      {...field}
      type="image"
      uploading={uploading}
      preview={shown && <img class="drop-picture" src={shown} alt={words.chosen} />}
      more={
        canvasImage && (
          <Button icon="brush" onClick={() => setPainting(true)}>
            {words.mask}
          </Button>
        )
      }
      below={
        <>
          {isSmallOnly && <p class="field-about">{words.smallOnly}</p>}
          {isPainting && canvasImage && (
            <MaskPainter
              image={canvasImage}
              onClose={() => setPainting(false)}
              onDone={(painted, pixels) =>
                void pngOf(isMask ? maskOf(painted) : imageWithMask(pixels, painted)).then((blob) =>
                  uploading.take(blob, isMask ? 'mask.png' : 'masked.png'),
                )
              }
            />
          )}
        </>
      }
    />
  );
}
