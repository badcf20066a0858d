// A job's images, from ComfyUI into the bucket: as streams, with a checksum, under names of our own. Only what this
// attempt made, and only whole images. What ComfyUI will never give is an end; what it does not give now is tried again.

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
import type { Failure, JobImage } from '../../core/job-state.ts';
import { MAX_IMAGE_BYTES } from '../../core/limits.ts';
import { attemptPromptId, imageName, keys } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import type { OutputImage } from '../../core/outcome.ts';
import { publishedPrefixOf } from '../../core/render.ts';
import type { Timings } from '../../core/timings.ts';
import type { Images } from '../../images/images.ts';
import { BodyTooLong } from '../../images/body.ts';
import { peekImage } from '../../images/sniff.ts';
import { BrokenImage, type ImageMetadata, walkImage } from '../../images/structure/walk.ts';
import type { HeldJob } from '../claims/held-job.ts';
import type { Writer } from '../claims/confirmed-write.ts';

/** ComfyUI made them and has them no more: the attempt is lost. */
export class OutputsGone extends Error {
  override readonly name = 'OutputsGone';
}

/** What will not be an image of this job, however often it is asked for. */
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
  /** Files whose names are fixed, as they were at one moment, and the jobs that told of them: of all attempts of a host. */
  taken: Map<string, Set<string>>;
  imageMetadata?: ImageMetadata | undefined;
}

interface Upload {
  deps: UploadDeps;
  heldJob: HeldJob;
  attempt: number;
  graph: Graph;
}

/** ComfyUI broke at one file so often, and at nothing else: it cannot read it. */
const BREAKS = 3;
/** Whoever stops the host waits so long for what ComfyUI does not give. */
const DRAIN_LIMIT = 30_000;

/** Undefined when the attempt was broken off meanwhile. @throws OutputsGone, UnfitOutput */
export async function collectImages(
  deps: UploadDeps,
  heldJob: HeldJob,
  attempt: number,
  graph: Graph,
  outputs: readonly OutputImage[],
): Promise<JobImage[] | undefined> {
  let stopped = false;
  void heldJob.stopped.then(() => {
    stopped = true;
  });
  let drainedAt = Infinity;
  void heldJob.drained.then(() => {
    drainedAt = deps.awake();
  });
  const upload = { deps, heldJob, attempt, graph };
  const images: JobImage[] = [];
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
        // Half an image, a bucket that throttles, a ComfyUI that restarts: its files are still on its disk.
        deps.log.error('image.upload_failed', error, { jobId: heldJob.jobId });
        await deps.pause(tries);
      }
    }
  }
  return images;
}

/** Where it breaks at whatever it is asked, as a proxy does that has lost it, the file proves nothing. */
function answersOtherwise({ deps, heldJob, attempt }: Upload): Promise<boolean> {
  return deps.comfyui.history(attemptPromptId(heldJob.jobId, attempt)).then(
    () => true,
    () => false,
  );
}

/** Undefined: another try may go better. */
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
): Promise<JobImage> {
  const { node } = output;
  const file = await comfyui.view(output);
  if (!file) throw new OutputsGone('its images are gone from the GPU host');
  const { body, ...viewed } = file;
  try {
    checkBirth(output, viewed);
    if ((viewed.sizeBytes ?? 0) > MAX_IMAGE_BYTES) throw unfit(output, `has over ${MAX_IMAGE_BYTES} bytes`);
  } catch (error) {
    await body.cancel();
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
  // Its size is known only where it is passed on as it is.
  const sizeBytes = imageMetadata === 'keep' ? viewed.sizeBytes : undefined;
  const stored = await images.put(key, Readable.from(walkImage(stream, image.extension, imageMetadata)), {
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
  };
}

const TAKEN_REMEMBERED = 1000;
/** Whoever ran within the same milliseconds has told of its files by then. */
const CLAIMED_WITHIN = 2000;

/**
 * ComfyUI runs one prompt after another: a file written between the start and the end of one is its own. One written in
 * the very milliseconds of the start may be of the prompt before, for files are stamped by a coarse clock: it is nobody's
 * where another job tells of the same one.
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

/** The kernel stamps files by a clock that is some milliseconds behind. */
const CLOCK_SLACK = 20;

/** A name that any run may write is this attempt's only if it was last written while ComfyUI worked on it. */
function checkBirth(output: OutputImage, { written }: ViewedFile): void {
  if (output.own === 'stamped') return;
  if (!written)
    throw unfit(
      output,
      'may be of another run: its name is fixed, and whatever stands before ComfyUI hides when it was written',
      'output_not_own',
    );
  const { from, to } = output.own;
  if (written.at < from - CLOCK_SLACK - written.within || written.at > to)
    throw unfit(output, 'was written by another run: a name that is fixed is anybody’s', 'output_not_own');
}

/** So often a connection that breaks is taken up where it was. */
const RESUMES = 20;

/** The whole file, over as many connections as it takes, as long as it stays the same file. */
async function* download(
  comfyui: UploadDeps['comfyui'],
  output: OutputImage,
  body: globalThis.ReadableStream<Uint8Array>,
  { etag, sizeBytes }: ViewedFile,
): AsyncGenerator<Uint8Array> {
  // What has no length is held whole.
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
    // Another file by now, or one that cannot be had from its middle: from the beginning, with the next try.
    if (!next?.partial) {
      await next?.body.cancel();
      throw new ComfyUISilent('GET /view to its end');
    }
    body = next.body;
  }
}
