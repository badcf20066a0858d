// A job in the grid: what it made, small, and what it was asked for.

import { usePicture } from '../../api/picture.ts';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { useKeptFocus } from '../../parts/kept-focus.ts';
import type { OutputView } from '../../parts/output.tsx';
import { agoOf, t, timeOf } from '../../text/index.ts';
import type { GalleryJob } from './found.ts';

const ICONS: Record<OutputView['kind'], IconName> = {
  image: 'image',
  video: 'film',
  audio: 'sound',
  text: 'text',
  '3d': 'cube',
  latent: 'file',
  file: 'file',
};

export function Tile({ job, href }: { job: GalleryJob; href: string }) {
  const link = useKeptFocus<HTMLAnchorElement>();
  const words = t();
  const image = job.outputs.find(({ thumbnail }) => thumbnail !== null);
  const { address, gone } = usePicture(image?.filename, 'GET /api/image/{filename}/thumbnail');
  const about = job.prompt || job.workflow;
  const state = words.job.states[job.status];
  const kind = job.outputs[0]?.kind;
  return (
    <a ref={link} class="gallery-tile" href={href} data-state={job.status}>
      <span class={image && !address && !gone ? 'gallery-picture skeleton' : 'gallery-picture'}>
        {address ? (
          <img src={address} alt="" />
        ) : image && !gone ? null : (
          <span class="gallery-kind">
            <Icon name={kind ? ICONS[kind] : job.status === 'failed' ? 'warning' : 'image'} />
            {kind && words.output.kinds[kind]}
          </span>
        )}
        {job.outputs.length > 1 && <span class="gallery-count">{job.outputs.length}</span>}
      </span>
      <span class="gallery-prompt" dir="auto">
        {about}
      </span>
      <span class="gallery-line">
        <span class="state">{state}</span>
        <time dateTime={job.created_at} title={timeOf(job.created_at)}>
          {agoOf(job.created_at)}
        </time>
      </span>
    </a>
  );
}
