// Uploads that are about to be read: kept for as long again, and of the type that their name says. What came by a link was
// seen by no process of ours: its first bytes are looked at, once for each process that meets it.

import { createCache } from '../../core/cache.ts';
import { invalid } from '../../core/inputs.ts';
import type { OutputKind } from '../../core/job-output.ts';
import { keys } from '../../core/names.ts';
import { kindOfExtension, MEDIA_HEAD, type MediaType, mediaTypeOf } from '../../images/media-type.ts';
import { letGo } from '../../images/images.ts';
import type { ApiDeps } from '../deps.ts';
import { keepUpload } from './image-inputs.ts';
import type { UploadQuota } from './upload-quota.ts';

export interface Uploads {
  /**
   * The key of an owner's own; undefined: there is none.
   * @param field that names it @param wanted absent: any @throws AppError invalid_field for another kind of file
   */
  use(owner: string, name: string, field: string, wanted?: OutputKind): Promise<string | undefined>;
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
    const stored = await images.get(key, { range: `bytes=0-${MEDIA_HEAD - 1}` });
    if (!stored || stored === 'not-modified') return undefined;
    if (stored.contentLength > MEDIA_HEAD) {
      await letGo(stored);
      throw new Error(`The bucket sent all of ${key}, not its first bytes`);
    }
    const head = new Uint8Array(await new Response(stored.body).arrayBuffer());
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
      if (wanted !== undefined && type.kind !== wanted)
        throw invalid(
          field,
          `must name ${wanted === 'image' ? 'an image' : `a file of ${wanted}`}; this upload holds ${type.contentType}`,
        );
      const extension = name.slice(name.lastIndexOf('.') + 1);
      if (!agree(kindOfExtension(extension), type.kind))
        throw invalid(
          field,
          `names an upload that ends in .${extension} and holds ${type.contentType}: upload it under a name that ends in .${type.extension}`,
        );
      return key;
    },
  };
}

/** One container may hold both of them. */
const MOVING: readonly OutputKind[] = ['audio', 'video'];

/** @param named undefined: the extension says nothing */
function agree(named: OutputKind | undefined, found: OutputKind): boolean {
  if (named === undefined || named === found) return true;
  return MOVING.includes(named) && MOVING.includes(found);
}
