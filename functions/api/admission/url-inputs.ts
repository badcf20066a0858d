// Inputs that are named by an address. They are fetched before their job is accepted, and become uploads: then every attempt on
// every host reads the same bytes, however long the job waits and whatever becomes of the address; what is wrong with it is
// said to the caller at once; and no GPU host connects to where a caller wants. A process that dies during it has accepted nothing.

import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { FILE_WORDS, type FileType, takesKind } from '../../core/file-types.ts';
import { FETCHES_AT_ONCE, MAX_FETCHED_BYTES } from '../../core/limits.ts';
import { keys, uploadName } from '../../core/names.ts';
import type { ApiDeps } from '../deps.ts';
import { keepUpload } from './image-inputs.ts';
import type { Limits } from './limits.ts';
import type { UploadQuota } from './upload-quota.ts';

export interface UrlInputs {
  /**
   * @param field that names the address @param wanted absent: any kind but a page @param signal of all of one job
   * @returns the name of the upload @throws AppError input_not_fetched
   */
  take(
    caller: Caller,
    address: string,
    field: string,
    signal: AbortSignal,
    wanted?: FileType,
  ): Promise<string>;
}

export function createUrlInputs(deps: ApiDeps & { limits: Limits; uploadQuota: UploadQuota }): UrlInputs {
  const { fetchInput, images, limits, uploadQuota } = deps;
  let running = 0;

  async function fetchInto(
    folder: string,
    caller: Caller,
    address: string,
    signal: AbortSignal,
    wanted: FileType | undefined,
  ): Promise<string> {
    const [{ MEDIA_HEAD, mediaTypeOf }, { NotFetched }] = await Promise.all([
      import('../../images/media-type.ts'),
      import('../../outbound/fetch.ts'),
    ]);
    const path = join(folder, 'file');
    const fetched = await fetchInput!(address, path, {
      maxBytes: MAX_FETCHED_BYTES,
      headBytes: MEDIA_HEAD,
      signal,
    });
    const { kind, contentType, extension } = mediaTypeOf(fetched.head, fetched.name);
    if (contentType === 'text/html') throw new NotFetched('is a web page');
    if (wanted !== undefined && !takesKind(wanted, kind))
      throw new NotFetched(`is ${contentType}, and not ${FILE_WORDS[wanted]}`);
    const name = uploadName(fetched.sha256, extension);
    const key = keys.upload(caller.owner, name);
    if (await keepUpload(deps, key)) return name;
    const { sizeBytes } = fetched;
    const settle = await uploadQuota.begin(caller, { name, bytes: sizeBytes });
    await settle(
      await images.putOnce(key, createReadStream(path), {
        contentType: 'application/octet-stream',
        sizeBytes,
      }),
    );
    return name;
  }

  return {
    async take(caller, address, field, signal, wanted) {
      const refuse = (why: string) =>
        new AppError('input_not_fetched', `Invalid field: ${field}: the file ${why}`, { field });
      if (!fetchInput) throw refuse('cannot be named by an address here; upload it (POST /api/upload/link)');
      // Each costs more than a request.
      await limits.request(caller);
      if (running >= FETCHES_AT_ONCE)
        throw new AppError(
          'unavailable',
          'Too many inputs are being fetched at the same time; send the job again',
        );
      running += 1;
      const folder = await mkdtemp(join(tmpdir(), 'input-'));
      try {
        return await fetchInto(folder, caller, address, signal, wanted);
      } catch (error) {
        throw error instanceof Error && error.name === 'NotFetched' ? refuse(error.message) : error;
      } finally {
        running -= 1;
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
