// An output of a job, small: an image, a film, a sound, a text, or a name to save.

import type { JobStatus } from '../api/types.ts';
import { bytesOf, t } from '../text/index.ts';

export type OutputView = JobStatus['outputs'][number];

/** @param onOpen at full size */
export function Output({ output, onOpen }: { output: OutputView; onOpen: () => void }) {
  const { kind, filename, url, width, height, size_bytes: size } = output;
  if (kind === 'image' && width !== null)
    return (
      <button type="button" class="picture" aria-label={t().output.open(filename)} onClick={onOpen}>
        <img src={url} width={width} height={height ?? undefined} alt={filename} loading="lazy" />
      </button>
    );
  // What is made has no captions.
  if (kind === 'video')
    return <video class="picture" src={url} controls preload="metadata" aria-label={filename} />;
  if (kind === 'audio') return <audio src={url} controls preload="metadata" aria-label={filename} />;
  return (
    <p class="file">
      <a href={url} download={filename}>
        {filename}
      </a>{' '}
      {t().output.kinds[kind]}, {bytesOf(size)}
    </p>
  );
}
