// A job's images, from ComfyUI into the bucket: as streams, with a checksum, under names of our own. Only what this
// attempt made, and only whole images. A file that ComfyUI can never serve ends the attempt; any other error is retried.

import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ComfyUI,
  ComfyUIBroken,
  ComfyUIError,
  ComfyUIRefused,
  ComfyUISilent,
  type ViewedFile,
} from '../../comfyui/client.ts';
import type { JobOutput } from '../../core/job-output.ts';
import type { Failure } from '../../core/job-state.ts';
import { MAX_IMAGE_BYTES } from '../../core/limits.ts';
import { attemptPromptId, imageName, keys } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import type { OutputImage } from '../../core/outcome.ts';
import { publishedPrefixOf } from '../../core/render.ts';
import type { Timings } from '../../core/timings.ts';
import { BodyTooLong, type Images } from '../../images/images.ts';
import { peekImage } from '../../images/sniff.ts';
import { BrokenImage, type ImageMetadata, walkImage } from '../../images/structure/walk.ts';
import type { HeldJob } from '../claims/held-job.ts';
import type { Writer } from '../claims/confirmed-write.ts';

/** ComfyUI no longer has the images: the attempt is lost. */
export class OutputsGone extends Error {
  override readonly name = 'OutputsGone';
}

/** An output that is no image of this job; retrying does not help. */
export class UnfitOutput extends Error {
  override readonly name = 'UnfitOutput';
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

interface UploadDeps extends Pick<Writer, 'log' | 'pause'> {
  comfyui: Pick<ComfyUI, 'view' | 'viewHead' | 'history'>;
  images: Images;
  timings: Timings;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  /** Of all attempts of the host: output files with a fixed name, in one version each, and the jobs that reported them. */
  taken: Map<string, Set<string>>;
  imageMetadata?: ImageMetadata | undefined;
}

interface Upload {
  deps: UploadDeps;
  heldJob: HeldJob;
  attempt: number;
  graph: Graph;
}

/** ComfyUI cannot read a file if it fails so often at this file alone. */
const BREAKS = 3;
/** A draining host waits so long for a file, ms. */
const DRAIN_LIMIT = 30_000;

/** Returns undefined if the attempt is broken off during the call. @throws OutputsGone, UnfitOutput */
export async function collectImages(
  deps: UploadDeps,
  heldJob: HeldJob,
  attempt: number,
  graph: Graph,
  outputs: readonly OutputImage[],
): Promise<JobOutput[] | undefined> {
  let stopped = false;
  void heldJob.stopped.then(() => {
    stopped = true;
  });
  let drainedAt = Infinity;
  void heldJob.drained.then(() => {
    drainedAt = deps.awake();
  });
  const upload = { deps, heldJob, attempt, graph };
  const images: JobOutput[] = [];
  for (const [index, output] of outputs.entries()) {
    let broke = 0;
    let failingSince: number | undefined;
    for (let tries = 0; images.length === index; tries += 1) {
      if (stopped) return undefined;
      try {
        if (images.length === 0) await takeFixed(upload, outputs);
        images.push(await uploadImage(upload, output, index + 1));
      } catch (error) {
        if (error instanceof ComfyUIBroken && (await answersOtherwise(upload))) broke += 1;
        const end = endOf(error, output, broke);
        if (end) throw end;
        if (error instanceof ComfyUIError) {
          const now = deps.awake();
          failingSince ??= now;
          if (
            now - failingSince > deps.timings.jobDeadline ||
            now - Math.max(drainedAt, failingSince) > DRAIN_LIMIT
          )
            throw new OutputsGone('its images could not be had from ComfyUI', { cause: error });
        } else failingSince = undefined;
        // Half an image, a throttled bucket, a restart of ComfyUI: the file is still on its disk.
        deps.log.error('image.upload_failed', error, { jobId: heldJob.jobId });
        await deps.pause(tries);
      }
    }
  }
  return images;
}

/** If every request fails, as behind a proxy that has lost ComfyUI, the failure says nothing about the file. */
function answersOtherwise({ deps, heldJob, attempt }: Upload): Promise<boolean> {
  return deps.comfyui.history(attemptPromptId(heldJob.jobId, attempt)).then(
    () => true,
    () => false,
  );
}

/** Returns undefined if a retry may succeed. */
function endOf(error: unknown, output: OutputImage, broke: number): Error | undefined {
  if (error instanceof OutputsGone || error instanceof UnfitOutput) return error;
  if (error instanceof BrokenImage) return unfit(output, error.message);
  if (error instanceof BodyTooLong)
    return unfit(output, 'is too long for a file of which ComfyUI does not say the length');
  if (error instanceof ComfyUIRefused) return unfit(output, `cannot be had from ComfyUI (${error.status})`);
  if (error instanceof ComfyUIBroken && broke >= BREAKS) return unfit(output, 'cannot be read by ComfyUI');
  return undefined;
}

function unfit({ node, filename }: OutputImage, what: string, code: Failure['code'] = 'bad_output') {
  const message = `Node ${node} saved ${filename.slice(0, 100)}, which ${what}`;
  return new UnfitOutput({ code, message: message.slice(0, 500) });
}

async function uploadImage(
  { deps: { comfyui, images, imageMetadata = 'keep' }, heldJob, attempt, graph }: Upload,
  output: OutputImage,
  ordinal: number,
): Promise<JobOutput> {
  const { node } = output;
  const file = await comfyui.view(output);
  if (!file) throw new OutputsGone('its images are gone from the GPU host');
  const { body, cancel, ...viewed } = file;
  try {
    checkBirth(output, viewed);
    if ((viewed.sizeBytes ?? 0) > MAX_IMAGE_BYTES) throw unfit(output, `has over ${MAX_IMAGE_BYTES} bytes`);
  } catch (error) {
    cancel();
    throw error;
  }
  const bytes = ReadableStream.from(download(comfyui, output, body, viewed));
  const { image, kind, stream } = await peekImage(bytes);
  if (!image) {
    await stream.cancel();
    const what = kind === undefined ? '' : `: it is ${kind}`;
    throw unfit(output, viewed.sizeBytes === 0 ? 'is empty' : `is no PNG, JPEG or WebP image${what}`);
  }
  const name = imageName(publishedPrefixOf(graph, node), heldJob.jobId, ordinal, image.extension);
  const key = keys.image(heldJob.jobId, attempt, name);
  // The size is known only if the bytes are passed on unchanged.
  const sizeBytes = imageMetadata === 'keep' ? viewed.sizeBytes : undefined;
  const sha256 = createHash('sha256');
  const checked = hashed(walkImage(stream, image.extension, imageMetadata), sha256);
  const stored = await images.put(key, Readable.from(checked), {
    contentType: image.contentType,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  });
  if (output.own !== 'stamped') {
    const after = await comfyui.viewHead(output);
    if (after?.etag !== viewed.etag || after?.written?.at !== viewed.written?.at)
      throw unfit(output, 'was written again by another run while it was read', 'output_not_own');
  }
  return {
    filename: name,
    node,
    width: image.width,
    height: image.height,
    sizeBytes: stored.sizeBytes,
    contentType: image.contentType,
    sha256: sha256.digest('hex'),
  };
}

async function* hashed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const piece of bytes) {
    hash.update(piece);
    yield piece;
  }
}

const TAKEN_REMEMBERED = 1000;
/** A prompt that ran within the same milliseconds has reported its files by then, ms. */
const CLAIMED_WITHIN = 2000;

/**
 * ComfyUI runs one prompt at a time: a file written between a prompt's start and end is that prompt's. A file written in
 * the milliseconds of the start may be of the prompt before, since file times are coarse: it is refused
 * if another job reports the same version of it.
 */
async function takeFixed({ deps, heldJob }: Upload, outputs: readonly OutputImage[]): Promise<void> {
  const doubtful: { output: OutputImage; jobs: Set<string> }[] = [];
  for (const output of outputs) {
    if (output.own === 'stamped') continue;
    const { etag, written } = (await deps.comfyui.viewHead(output)) ?? {};
    const file = [output.subfolder, output.filename, etag].join('\0');
    const jobs = deps.taken.get(file) ?? new Set<string>();
    jobs.add(heldJob.jobId);
    deps.taken.delete(file);
    if (deps.taken.size >= TAKEN_REMEMBERED) deps.taken.delete(deps.taken.keys().next().value!);
    deps.taken.set(file, jobs);
    if (written && written.at <= output.own.from + written.within) doubtful.push({ output, jobs });
  }
  if (doubtful.length > 0) await sleep(CLAIMED_WITHIN);
  for (const { output, jobs } of doubtful)
    if (jobs.size > 1)
      throw unfit(output, 'may be of another run, which began in the same moment', 'output_not_own');
}

/** The kernel's file times lag by some milliseconds. */
const CLOCK_SLACK = 20;

/** A file with a fixed name is this attempt's only if it was last written while the prompt ran. @throws UnfitOutput */
function checkBirth(output: OutputImage, { written }: ViewedFile): void {
  if (output.own === 'stamped') return;
  if (!written)
    throw unfit(
      output,
      'may be of another run: its name is fixed, and a proxy before ComfyUI hides when it was written',
      'output_not_own',
    );
  const { from, to } = output.own;
  if (written.at < from - CLOCK_SLACK - written.within || written.at > to)
    throw unfit(
      output,
      'was written by another run: its name is fixed, so every run writes it',
      'output_not_own',
    );
}

/** How often a broken connection is resumed. */
const RESUMES = 20;

/** Yields the whole file, resuming broken connections while its ETag stays the same. @throws ComfyUISilent, UnfitOutput */
async function* download(
  comfyui: UploadDeps['comfyui'],
  output: OutputImage,
  body: AsyncIterable<Uint8Array>,
  { etag, sizeBytes }: ViewedFile,
): AsyncGenerator<Uint8Array> {
  // A file without a length is buffered.
  const limit = sizeBytes === undefined ? MAX_IMAGE_BYTES / 8 : MAX_IMAGE_BYTES;
  let read = 0;
  for (let resumes = 0; ; resumes += 1) {
    const before = read;
    try {
      for await (const piece of body) {
        read += piece.length;
        if (read > limit) throw unfit(output, `has over ${limit} bytes`);
        yield piece;
      }
      if (sizeBytes === undefined || read >= sizeBytes) return;
    } catch (error) {
      if (error instanceof UnfitOutput || etag === undefined || resumes >= RESUMES || read === before)
        throw error;
    }
    const next = etag === undefined ? undefined : await comfyui.view(output, { from: read, ifRange: etag });
    // The file has changed, or ranges are not supported: the next try starts from the beginning.
    if (!next?.partial) {
      next?.cancel();
      throw new ComfyUISilent('GET /view to its end');
    }
    body = next.body;
  }
}
