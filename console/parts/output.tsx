// An output of a job, small: an image, a film, a sound, a text, or a name to save.

import { useState } from 'preact/hooks';
import type { JobStatus } from '../api/types.ts';
import { bytesOf, t } from '../text/index.ts';
import { TextFile } from './text-file.tsx';

export type OutputView = JobStatus['outputs'][number];

/** What a browser may show as an image: the API knows its size. */
export const isPicture = ({ kind, width }: OutputView): boolean => kind === 'image' && width !== null;

/** Whether the browser could not show what is at the link; another link is tried anew. */
export function useShowable(url: string): { isShowable: boolean; onError: () => void } {
  const [failed, setFailed] = useState<string | undefined>(undefined);
  return { isShowable: failed !== url, onError: () => setFailed(url) };
}

interface OutputProps {
  output: OutputView;
  /** At full size. */
  onOpen: () => void;
  /** It is not shown: the link has ended, or what it leads to has gone. */
  onLost?: () => void;
}

export function Output({ output, onOpen, onLost }: OutputProps) {
  const { filename, url, width, height } = output;
  const { isShowable, onError } = useShowable(url);
  if (!isPicture(output)) return <Other output={output} />;
  if (!isShowable) return <FileRow output={output} />;
  return (
    <button type="button" class="picture" aria-label={t().output.open(filename)} onClick={onOpen}>
      <img
        src={url}
        width={width!}
        height={height ?? undefined}
        alt={filename}
        loading="lazy"
        onError={() => {
          onError();
          onLost?.();
        }}
      />
    </button>
  );
}

/** What is no picture, small and at full size. What is made has no captions. */
export function Other({ output }: { output: OutputView }) {
  const { kind, filename, url, size_bytes: size } = output;
  const { isShowable, onError } = useShowable(url);
  if (kind === 'video' && isShowable)
    return (
      <video class="picture" src={url} controls preload="metadata" aria-label={filename} onError={onError} />
    );
  if (kind === 'audio' && isShowable)
    return <audio src={url} controls preload="metadata" aria-label={filename} onError={onError} />;
  return (
    <div>
      <FileRow output={output} />
      {kind === 'text' && <TextFile filename={filename} size={size} />}
    </div>
  );
}

export function FileRow({ output: { kind, filename, url, size_bytes: size } }: { output: OutputView }) {
  return (
    <p class="file">
      <a href={url} download={filename}>
        {filename}
      </a>{' '}
      {t().output.kinds[kind]}, {bytesOf(size)}
    </p>
  );
}
