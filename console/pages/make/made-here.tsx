// Chooses a file from what the caller made: images as images, all others by their names.

import { useEffect, useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import { usePicture } from '../../api/picture.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { type FileType, takesKind } from '../../state/file-types.ts';
import { t } from '../../text/index.ts';

const SHOWN = 24;
/** Jobs among which others than images are looked for. */
const LOOKED_AT = 100;
const IS_IMAGE = /\.(png|jpe?g|webp)$/i;

interface MadeHereProps {
  type: FileType;
  onChoose: (filename: string) => void;
  onClose: () => void;
}

export function MadeHere({ type, onChoose, onClose }: MadeHereProps) {
  const [found, setFound] = useState<string[] | undefined>(undefined);
  useEffect(() => {
    (type === 'image' ? images() : others(type)).then(setFound).catch(notifyFailure);
  }, [type]);
  const choose = (filename: string) => {
    onClose();
    onChoose(filename);
  };
  const words = t().fileInput;
  return (
    <Dialog title={words.made} onClose={onClose}>
      {found?.length === 0 && <p>{words.noneMade}</p>}
      <ul class={type === 'image' ? 'tiles' : 'rows'}>
        {found?.map((filename) => (
          <li key={filename}>
            {type === 'image' ? (
              <Tile filename={filename} onChoose={() => choose(filename)} />
            ) : (
              <button type="button" class="row-choice" onClick={() => choose(filename)}>
                {filename}
              </button>
            )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

async function images(): Promise<string[]> {
  const { images } = await call('GET /api/outputs', { query: { limit: SHOWN } });
  return images.filter((one) => IS_IMAGE.test(one));
}

async function others(type: FileType): Promise<string[]> {
  const { jobs } = await call('GET /api/jobs', { query: { limit: LOOKED_AT, state: 'completed' } });
  return jobs
    .flatMap(({ outputs }) => outputs.filter(({ kind }) => takesKind(type, kind)))
    .map(({ filename }) => filename)
    .slice(0, SHOWN);
}

function Tile({ filename, onChoose }: { filename: string; onChoose: () => void }) {
  const { address } = usePicture(filename);
  return (
    <button type="button" class="tile" aria-label={filename} onClick={onChoose}>
      {address && <img src={address} alt="" />}
    </button>
  );
}
