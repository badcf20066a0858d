// Derived files, made of an output when they are first asked for: a thumbnail, the image in another format. Each is made once, is kept
// as long as an output, and goes with its job.

import { AppError } from '../../core/errors.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { keys } from '../../core/names.ts';
import { CodecBusy, MAX_SOURCE_BYTES, type Order, Unconvertible } from '../../images/codec/order.ts';
import type { ApiDeps } from '../deps.ts';
import { imageNotFound } from '../http/output-bytes.ts';
import { wholeOutput } from '../http/whole-output.ts';

/** Its name, and how it is made. */
export interface Derivation {
  made: string;
  order: Order;
}

/** At most 320 pixels wide and high: a page of 60 weighs under 1 MB. */
export const THUMBNAIL: Derivation = {
  made: 'thumbnail.webp',
  order: { format: 'webp', quality: 70, side: 320 },
};

/** Of outputs. */
const READ = ['image/png', 'image/jpeg', 'image/webp'];

export interface Derived {
  /** Resolves when it is there. @throws AppError image_not_found, not_convertible, too_many_conversions */
  make(found: Found, derivation: Derivation): Promise<void>;
}

interface Found {
  state: JobState;
  output: JobOutput;
}

export function derivedKey(
  { state, output }: { state: Pick<JobState, 'jobId' | 'attempt'>; output: Pick<JobOutput, 'filename'> },
  { made }: Derivation,
): string {
  return keys.derived(state.jobId, state.attempt, output.filename, made);
}

export function createDerived(deps: Pick<ApiDeps, 'jobs' | 'images' | 'servedImages' | 'codec'>): Derived {
  const { jobs, images, codec } = deps;
  const making = new Map<string, Promise<void>>();

  async function makeAt(key: string, { state, output }: Found, { order }: Derivation): Promise<void> {
    if (!READ.includes(output.contentType))
      throw refusalOf(new Unconvertible('is no PNG, JPEG or WebP'), output);
    if (await images.head(key)) return;
    const source = async () => {
      const bytes = await wholeOutput(deps, state, output, MAX_SOURCE_BYTES);
      if (!bytes) throw new Unconvertible(`has over ${MAX_SOURCE_BYTES} bytes`);
      return bytes;
    };
    const { bytes } = await codec.convert(order, source).catch((error: unknown) => {
      throw refusalOf(error, output);
    });
    // Another process may have made it at the same time: the same.
    await images.putOnce(key, bytes, { contentType: `image/${order.format}` });
    // A removal of the job since then did not see it.
    if (await jobs.readState(state.jobId)) return;
    await images.delete([key]);
    throw imageNotFound();
  }

  return {
    make(found, derivation) {
      const key = derivedKey(found, derivation);
      const begun = making.get(key);
      if (begun) return begun;
      const made = makeAt(key, found, derivation).finally(() => making.delete(key));
      making.set(key, made);
      return made;
    },
  };
}

function refusalOf(error: unknown, { filename }: JobOutput): unknown {
  if (error instanceof Unconvertible)
    return new AppError('not_convertible', `${filename} ${error.message}: fetch GET /api/image/${filename}`);
  if (error instanceof CodecBusy)
    return new AppError('too_many_conversions', 'Too many images are being converted; try again');
  return error;
}
