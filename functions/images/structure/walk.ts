// Passes an image on while it is read to its end: what is no whole picture of its kind breaks the stream.

import { walkJpeg } from './jpeg.ts';
import { walkPng } from './png.ts';
import { Source } from './source.ts';
import { walkWebp } from './webp.ts';

export { BrokenImage } from './source.ts';

/** `keep`: byte for byte. `strip`: without what was written about it; its pixels byte for byte. */
export type ImageMetadata = 'keep' | 'strip';

const walks = { png: walkPng, jpg: walkJpeg, webp: walkWebp };

/** @throws BrokenImage from the stream, at the latest at its end */
export function walkImage(
  bytes: AsyncIterable<Uint8Array>,
  extension: keyof typeof walks,
  metadata: ImageMetadata,
): AsyncGenerator<Buffer> {
  return walks[extension](new Source(bytes), metadata === 'keep');
}
