// Chooses a file from what the caller made: images as images, all others by their names.

import { call } from '../../api/call.ts';
import { usePicture } from '../../api/picture.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { type FileType, takesKind } from '../../state/file-types.ts';
import { useRead } from '../../state/read.ts';
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
  const read = useRead((signal) => (type === 'image' ? images(signal) : others(type, signal)), [type]);
  const choose = (filename: string) => {
    onClose();
    onChoose(filename);
  };
  const words = t().fileInput;
  return (
    <Dialog title={words.made} onClose={onClose}>
      <Loaded read={read}>{(found) => <Choices type={type} filenames={found} onChoose={choose} />}</Loaded>
    </Dialog>
  );
}

interface ChoicesProps {
  type: FileType;
  filenames: string[];
  onChoose: (filename: string) => void;
}

function Choices({ type, filenames, onChoose }: ChoicesProps) {
  if (filenames.length === 0) return <p>{t().fileInput.noneMade}</p>;
  return (
    <ul class={type === 'image' ? 'tiles' : 'rows'}>
      {filenames.map((filename) => (
        <li key={filename}>
          {type === 'image' ? (
            <Tile filename={filename} onChoose={() => onChoose(filename)} />
          ) : (
            <button type="button" class="row-choice" onClick={() => onChoose(filename)}>
              {filename}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

async function images(signal: AbortSignal): Promise<string[]> {
  const { images } = await call('GET /api/outputs', { query: { limit: SHOWN }, signal });
  return images.filter((one) => IS_IMAGE.test(one));
}

async function others(type: FileType, signal: AbortSignal): Promise<string[]> {
  const { jobs } = await call('GET /api/jobs', { query: { limit: LOOKED_AT, state: 'completed' }, signal });
  return jobs
    .flatMap(({ outputs }) => outputs.filter(({ kind }) => takesKind(type, kind)))
    .map(({ filename }) => filename)
    .slice(0, SHOWN);
}

function Tile({ filename, onChoose }: { filename: string; onChoose: () => void }) {
  const { address, gone } = usePicture(filename, 'GET /api/image/{filename}/thumbnail');
  return (
    <button type="button" class="tile" aria-label={filename} onClick={onChoose}>
      {address ? <img src={address} alt="" /> : gone && filename}
    </button>
  );
}
