// Outputs at full size, one after the other: arrow keys turn, a click shows one pixel of an image as one.

import { useState } from 'preact/hooks';
import { bytesOf, t } from '../text/index.ts';
import { Button, IconButton } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { notify, notifyFailure } from './notices.tsx';
import { FileRow, isPicture, Other, type OutputView, useShowable } from './output.tsx';

interface ViewerProps {
  outputs: OutputView[];
  index: number;
  onIndex: (index: number) => void;
  onClose: () => void;
}

export function Viewer({ outputs, index, onIndex, onClose }: ViewerProps) {
  const [isWhole, setWhole] = useState(true);
  const output = outputs[index]!;
  const { filename, url, width, height, size_bytes: size } = output;
  const { isShowable, onError } = useShowable(url);
  const words = t().output;
  const turn = (by: number) => onIndex((index + by + outputs.length) % outputs.length);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(url);
      notify(words.copied);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <Dialog
      title={filename}
      onClose={onClose}
      wide
      onKey={(key) => {
        if (key === 'ArrowLeft') turn(-1);
        if (key === 'ArrowRight') turn(1);
      }}
    >
      <div class={isWhole ? 'viewer' : 'viewer full'}>
        {!isPicture(output) ? (
          <Other key={url} output={output} />
        ) : isShowable ? (
          <button
            type="button"
            aria-label={isWhole ? words.full : words.whole}
            onClick={() => setWhole(!isWhole)}
          >
            <img
              src={url}
              alt={filename}
              width={width ?? undefined}
              height={height ?? undefined}
              onError={onError}
            />
          </button>
        ) : (
          <FileRow output={output} />
        )}
        <div class="row">
          {outputs.length > 1 && (
            <>
              <Button onClick={() => turn(-1)}>{words.before}</Button>
              <Button onClick={() => turn(1)}>{words.next}</Button>
              <span>{words.of(index + 1, outputs.length)}</span>
            </>
          )}
          <span class="grow" />
          <span class="field-about">
            {width !== null && `${width} × ${height}, `}
            {bytesOf(size)}
          </span>
          <a class="button plain" href={url} download={filename}>
            {words.download}
          </a>
          {navigator.clipboard !== undefined && (
            <IconButton icon="link" label={words.copy} onClick={() => void copy()} />
          )}
        </div>
      </div>
    </Dialog>
  );
}
