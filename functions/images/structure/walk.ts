// Passes an image's bytes on while checking them: a file that is not a whole image of its type makes the stream fail.

import { walkJpeg } from './jpeg.ts';
import { walkPng } from './png.ts';
import { Source } from './source.ts';
import { walkWebp } from './webp.ts';

export { BrokenImage } from './source.ts';

/** `keep`: byte for byte. `strip`: without metadata; the pixels byte for byte. */
export type ImageMetadata = 'keep' | 'strip';

const walks = { png: walkPng, jpg: walkJpeg, webp: walkWebp };

/** @returns a stream that throws BrokenImage, at the latest at its end */
export function walkImage(
  bytes: AsyncIterable<Uint8Array>,
  extension: keyof typeof walks,
  metadata: ImageMetadata,
): AsyncGenerator<Buffer> {
  return walks[extension](new Source(bytes), metadata === 'keep');
}
