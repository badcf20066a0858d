// Uploads that are about to be read: kept for as long again, and of the type that their name says. What came by a link was
// seen by no process of ours: its first bytes are looked at, once for each process that meets it.

import { createCache } from '../../core/cache.ts';
import { invalid } from '../../core/inputs.ts';
import { FILE_WORDS, type FileType, takesKind } from '../../core/file-types.ts';
import type { OutputKind } from '../../core/job-output.ts';
import { keys } from '../../core/names.ts';
import type { MediaType } from '../../images/media-type.ts';
import type { StoredImage } from '../../images/images.ts';
import type { ApiDeps } from '../deps.ts';
import { keepUpload } from './image-inputs.ts';
import type { UploadQuota } from './upload-quota.ts';

export interface Uploads {
  /**
   * The key of an owner's own; undefined: there is none.
   * @param field that names it @param wanted absent: any @throws AppError invalid_field for another kind of file
   */
  use(owner: string, name: string, field: string, wanted?: FileType): Promise<string | undefined>;
}

const REMEMBERED = 10_000;

export function createUploads(deps: ApiDeps & { uploadQuota: UploadQuota }): Uploads {
  const { images, uploadQuota, now } = deps;
  // Of content that never changes under its key.
  const types = createCache<MediaType | undefined>({
    now,
    freshFor: (type) => (type ? Infinity : 0),
    names: REMEMBERED,
  });

  async function typeOf(owner: string, key: string): Promise<MediaType | undefined> {
    const { MEDIA_HEAD, mediaTypeOf } = await mediaTypes();
    const stored = await images.get(key, { range: `bytes=0-${MEDIA_HEAD - 1}` });
    if (!stored || stored === 'not-modified') return undefined;
    const head = await headOf(stored, MEDIA_HEAD);
    const name = key.slice(key.lastIndexOf('/') + 1);
    await uploadQuota.arrived(owner, name);
    return mediaTypeOf(head, name);
  }

  return {
    async use(owner, name, field, wanted) {
      const key = keys.upload(owner, name);
      if (!(await keepUpload(deps, key))) return undefined;
      const type = await types.get(key, () => typeOf(owner, key));
      if (!type) return undefined;
      if (wanted !== undefined && !takesKind(wanted, type.kind))
        throw invalid(field, `must name ${FILE_WORDS[wanted]}; this upload holds ${type.contentType}`);
      const extension = name.slice(name.lastIndexOf('.') + 1);
      const { kindOfExtension } = await mediaTypes();
      if (!agree(kindOfExtension(extension), type.kind))
        throw invalid(
          field,
          `names an upload that ends in .${extension} and holds ${type.contentType}: upload it under a name that ends in .${type.extension}`,
        );
      return key;
    },
  };
}

/** Of use to few calls: no cold start loads it. */
const mediaTypes = () => import('../../images/media-type.ts');

async function headOf(stored: StoredImage, bytes: number): Promise<Buffer> {
  if (stored.body instanceof Uint8Array) return Buffer.from(stored.body);
  const pieces: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop lets go of the rest.
  for await (const piece of stored.body) {
    pieces.push(piece);
    length += piece.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(pieces);
}

/** One container may hold both of them. */
const MOVING: readonly OutputKind[] = ['audio', 'video'];

/** @param named undefined: the extension says nothing */
function agree(named: OutputKind | undefined, found: OutputKind): boolean {
  if (named === undefined || named === found) return true;
  return MOVING.includes(named) && MOVING.includes(found);
}
