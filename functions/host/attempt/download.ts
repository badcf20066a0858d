// A file's bytes from ComfyUI, whole, whatever the connection does.

import { type ComfyUI, ComfyUISilent, type ViewedFile } from '../../comfyui/client.ts';
import { MAX_FILE_BYTES, MAX_IMAGE_BYTES } from '../../core/limits.ts';
import type { OutputFile } from '../../core/outcome.ts';
import { unfit, UnfitOutput } from './unfit-output.ts';

/** How often a broken connection is resumed. */
const RESUMES = 20;

/** Yields the whole file, resuming broken connections while its ETag stays the same. @throws ComfyUISilent, UnfitOutput */
export async function* download(
  comfyui: Pick<ComfyUI, 'view'>,
  output: OutputFile,
  body: AsyncIterable<Uint8Array>,
  { etag, sizeBytes }: ViewedFile,
): AsyncGenerator<Uint8Array> {
  // A file without a length is buffered.
  const limit = sizeBytes === undefined ? MAX_IMAGE_BYTES / 8 : MAX_FILE_BYTES;
  let read = 0;
  for (let resumes = 0; ; resumes += 1) {
    const before = read;
    try {
      for await (const piece of body) {
        read += piece.length;
        if (read > limit) throw unfit(output, `has over ${limit} bytes`);
        yield piece;
      }
      if (sizeBytes === undefined || read >= sizeBytes) return;
    } catch (error) {
      if (error instanceof UnfitOutput || etag === undefined || resumes >= RESUMES || read === before)
        throw error;
    }
    const next = etag === undefined ? undefined : await comfyui.view(output, { from: read, ifRange: etag });
    // The file has changed, or ranges are not supported: the next try starts from the beginning.
    if (!next?.partial) {
      next?.cancel();
      throw new ComfyUISilent('GET /view to its end');
    }
    body = next.body;
  }
}
