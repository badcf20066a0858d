// Chooses an image from what the caller made.

import { useEffect, useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import { usePicture } from '../../api/picture.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { t } from '../../text/index.ts';

const SHOWN = 24;
const IS_IMAGE = /\.(png|jpe?g|webp)$/i;

interface MadeHereProps {
  onChoose: (filename: string) => void;
  onClose: () => void;
}

export function MadeHere({ onChoose, onClose }: MadeHereProps) {
  const [found, setFound] = useState<string[] | undefined>(undefined);
  useEffect(() => {
    call('GET /api/outputs', { query: { limit: SHOWN } })
      .then(({ images }) => setFound(images.filter((one) => IS_IMAGE.test(one))))
      .catch(notifyFailure);
  }, []);
  const choose = (filename: string) => {
    onClose();
    onChoose(filename);
  };
  return (
    <Dialog title={t().image.made} onClose={onClose}>
      {found?.length === 0 && <p>{t().image.noneMade}</p>}
      <ul class="tiles">
        {found?.map((filename) => (
          <li key={filename}>
            <Tile filename={filename} onChoose={() => choose(filename)} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function Tile({ filename, onChoose }: { filename: string; onChoose: () => void }) {
  const { address } = usePicture(filename);
  return (
    <button type="button" class="tile" aria-label={filename} onClick={onChoose}>
      {address && <img src={address} alt="" />}
    </button>
  );
}
