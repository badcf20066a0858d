// A job's outputs, from ComfyUI into the bucket: as streams, with a checksum, under names of our own. Only what this
// attempt made, and only whole images. A file that ComfyUI can never serve ends the attempt; any other error is retried.

import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { type ComfyUI, ComfyUIBroken, ComfyUIError, ComfyUIRefused } from '../../comfyui/client.ts';
import type { JobOutput } from '../../core/job-output.ts';
import { MAX_FILE_BYTES, MAX_IMAGE_BYTES } from '../../core/limits.ts';
import { isText, type ListedText } from '../../core/listed-outputs.ts';
import { attemptPromptId, imageName, keys } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import type { Output, OutputFile } from '../../core/outcome.ts';
import { publishedPrefixOf } from '../../core/render.ts';
import type { Timings } from '../../core/timings.ts';
import { BodyTooLong, type Images } from '../../images/images.ts';
import { servedType } from '../../images/links.ts';
import { type MediaType, mediaTypeOf } from '../../images/media-type.ts';
import { gifSize, imageType, noImage, peek } from '../../images/sniff.ts';
import { BrokenImage, type ImageMetadata, walkImage } from '../../images/structure/walk.ts';
import type { HeldJob } from '../claims/held-job.ts';
import type { Writer } from '../claims/confirmed-write.ts';
import { download } from './download.ts';
import { checkBirth, type FixedDeps, takeFixed } from './fixed-names.ts';
import { unfit, UnfitOutput } from './unfit-output.ts';

/** ComfyUI no longer has the files: the attempt is lost. */
export class OutputsGone extends Error {
  override readonly name = 'OutputsGone';
}

interface UploadDeps extends Pick<Writer, 'log' | 'pause'>, FixedDeps {
  comfyui: Pick<ComfyUI, 'view' | 'viewHead' | 'history'>;
  images: Images;
  timings: Timings;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
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
export async function collectOutputs(
  deps: UploadDeps,
  heldJob: HeldJob,
  attempt: number,
  graph: Graph,
  outputs: readonly Output[],
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
  const files = outputs.filter((output): output is OutputFile => !isText(output));
  const published: JobOutput[] = [];
  for (const [index, output] of outputs.entries()) {
    let broke = 0;
    let failingSince: number | undefined;
    for (let tries = 0; published.length === index; tries += 1) {
      if (stopped) return undefined;
      try {
        if (published.length === 0) await takeFixed(deps, heldJob.jobId, files);
        published.push(await publish(upload, output, index + 1));
      } catch (error) {
        if (error instanceof ComfyUIBroken && (await answersOtherwise(upload))) broke += 1;
        const end = isText(output) ? undefined : endOf(error, output, broke);
        if (end) throw end;
        if (error instanceof ComfyUIError) {
          const now = deps.awake();
          failingSince ??= now;
          if (
            now - failingSince > deps.timings.jobDeadline ||
            now - Math.max(drainedAt, failingSince) > DRAIN_LIMIT
          )
            throw new OutputsGone('its outputs could not be had from ComfyUI', { cause: error });
        } else failingSince = undefined;
        // Half a file, a throttled bucket, a restart of ComfyUI: the file is still on its disk.
        deps.log.error('image.upload_failed', error, { jobId: heldJob.jobId });
        await deps.pause(tries);
      }
    }
  }
  return published;
}

/** If every request fails, as behind a proxy that has lost ComfyUI, the failure says nothing about the file. */
function answersOtherwise({ deps, heldJob, attempt }: Upload): Promise<boolean> {
  return deps.comfyui.history(attemptPromptId(heldJob.jobId, attempt)).then(
    () => true,
    () => false,
  );
}

/** Returns undefined if a retry may succeed. */
function endOf(error: unknown, output: OutputFile, broke: number): Error | undefined {
  if (error instanceof OutputsGone || error instanceof UnfitOutput) return error;
  if (error instanceof BrokenImage) return unfit(output, error.message);
  if (error instanceof BodyTooLong)
    return unfit(output, 'is too long for a file of which ComfyUI does not say the length');
  if (error instanceof ComfyUIRefused) return unfit(output, `cannot be had from ComfyUI (${error.status})`);
  if (error instanceof ComfyUIBroken && broke >= BREAKS) return unfit(output, 'cannot be read by ComfyUI');
  return undefined;
}

function publish(upload: Upload, output: Output, ordinal: number): Promise<JobOutput> {
  return isText(output) ? publishText(upload, output, ordinal) : publishFile(upload, output, ordinal);
}

const TEXT: MediaType = { kind: 'text', contentType: 'text/plain', extension: 'txt' };

async function publishText(upload: Upload, { text, ...listed }: ListedText, ordinal: number) {
  const body = Buffer.from(text);
  return put(upload, { ...listed, ordinal }, TEXT, [body], body.length);
}

async function publishFile(upload: Upload, output: OutputFile, ordinal: number): Promise<JobOutput> {
  const { comfyui } = upload.deps;
  const file = await comfyui.view(output);
  if (!file) throw await goneOr(upload, output);
  const { body, cancel, ...viewed } = file;
  try {
    checkBirth(upload.deps, upload.heldJob.jobId, output, viewed);
    refuseOver(output, viewed.sizeBytes ?? 0, MAX_FILE_BYTES);
  } catch (error) {
    cancel();
    throw error;
  }
  const bytes = ReadableStream.from(download(comfyui, output, body, viewed));
  const { head, stream } = await peek(bytes);
  const published = await store(upload, output, ordinal, viewed.sizeBytes, { head, stream }).catch(
    async (error: unknown) => {
      // Where it was being read it is cancelled already.
      await stream.cancel().catch(() => undefined);
      throw error;
    },
  );
  if (output.own !== 'stamped') {
    const after = await comfyui.viewHead(output);
    if (after?.etag !== viewed.etag || after?.written?.at !== viewed.written?.at)
      throw unfit(output, 'was written again by another run while it was read', 'output_not_own');
  }
  return published;
}

async function store(
  upload: Upload,
  output: OutputFile,
  ordinal: number,
  sizeBytes: number | undefined,
  { head, stream }: Awaited<ReturnType<typeof peek>>,
): Promise<JobOutput> {
  const listed = { node: output.node, key: output.key, ordinal };
  const image = imageType(head);
  if (!image) {
    const type = typeOfFile(output, head);
    return put(upload, { ...listed, ...gifSize(head) }, type, stream, sizeBytes);
  }
  refuseOver(output, sizeBytes ?? 0, MAX_IMAGE_BYTES);
  const { imageMetadata = 'keep' } = upload.deps;
  const { width, height, ...type } = image;
  const walked = walkImage(stream, image.extension, imageMetadata);
  // The size is known only if the bytes are passed on unchanged.
  const known = imageMetadata === 'keep' ? sizeBytes : undefined;
  return put(upload, { ...listed, width, height }, { kind: 'image', ...type }, walked, known);
}

/** A ComfyUI that has the prompt and not its file never had it, or its node has removed it. */
async function goneOr({ deps, heldJob, attempt }: Upload, output: OutputFile): Promise<Error> {
  const entry = await deps.comfyui.history(attemptPromptId(heldJob.jobId, attempt));
  return entry
    ? unfit(output, 'is not there: ComfyUI answers 404 for it')
    : new OutputsGone('its outputs are gone from the GPU host');
}

function refuseOver(output: OutputFile, sizeBytes: number, most: number): void {
  if (sizeBytes > most) throw unfit(output, `has over ${most} bytes`);
}

/** Names that promise an image which can be checked. */
const PROMISES = /\.(png|jpe?g|webp)$/i;
/** Saved as it is, an empty text is a text. */
const EMPTY = /\.(txt|md|csv|json)$/i;

/** @param head of a file that is no whole PNG, JPEG or WebP. @throws UnfitOutput */
function typeOfFile(output: OutputFile, head: Buffer): MediaType {
  const type = mediaTypeOf(head, output.filename);
  if (head.length === 0 && !EMPTY.test(output.filename)) throw unfit(output, 'is empty');
  if (PROMISES.test(output.filename) || /^image\/(png|jpeg|webp)$/.test(type.contentType))
    throw unfit(output, noImage(head));
  return type;
}

interface Published {
  node: string;
  key: string;
  ordinal: number;
  width?: number;
  height?: number;
}

async function put(
  { deps, heldJob, attempt, graph }: Upload,
  { ordinal, node, key, ...size }: Published,
  { kind, contentType, extension }: MediaType,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  sizeBytes: number | undefined,
): Promise<JobOutput> {
  const filename = imageName(publishedPrefixOf(graph, node), heldJob.jobId, ordinal, extension);
  const sha256 = createHash('sha256');
  const stored = await deps.images.put(
    keys.image(heldJob.jobId, attempt, filename),
    Readable.from(hashed(bytes, sha256)),
    { contentType: servedType(contentType), ...(sizeBytes !== undefined && { sizeBytes }) },
  );
  return {
    filename,
    node,
    // What it is not said of is an image under `images`: a job's state is small.
    ...(key !== 'images' && { key }),
    ...(kind !== 'image' && { kind }),
    ...size,
    sizeBytes: stored.sizeBytes,
    contentType,
    sha256: sha256.digest('hex'),
  };
}

async function* hashed(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  hash: Hash,
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    hash.update(piece);
    yield piece;
  }
}
