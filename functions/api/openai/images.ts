// The images of ended jobs as OpenAI's answer. They are read one after the other while the answer is sent: of a call for ten only
// one is in memory.

import type { Context } from 'hono';
import { imagesOf, type JobImage, type JobState } from '../../core/job.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { bodyOf } from '../http/event-stream.ts';
import { originOf } from '../http/link-origin.ts';
import { linkOf, type LinkedFile } from '../http/output-link.ts';
import { wholeFile } from '../http/whole-output.ts';
import type { Asked } from './asked.ts';
import { NO_REPETITION, OpenAIError } from './errors.ts';
import { fileOf, type Found } from './formats.ts';

/** As base64 it takes four thirds of that, in memory. */
const MAX_INLINE_BYTES = 48 * 1024 * 1024;

/** @param sent called when the answer has been taken, or its reader is gone @throws OpenAIError, AppError image_not_found */
export async function imagesAnswer(
  deps: FacadeDeps,
  c: Context<ApiEnv>,
  states: JobState[],
  { responseFormat, quality, format }: Asked,
  sent: (isWhole: boolean) => void,
): Promise<Response> {
  const found = imagesIn(states);
  const origin = originOf(deps.settings, c);
  const files: LinkedFile[] = [];
  for (const one of found) files.push(await fileOf(deps, one, format));
  const entry = (file: LinkedFile) =>
    responseFormat === 'url'
      ? linkOf(deps, file, origin).then((url) => ({ url }))
      : base64Of(deps, file).then((text) => ({ b64_json: text }));
  const about = {
    created: Math.floor(Math.max(...states.map(({ endedAt = 0 }) => endedAt)) / 1000),
    ...described(found[0]!.image, files[0]!, quality),
    usage: usageOf(states),
  };
  // What cannot be read has a status of its own.
  const first = await entry(files[0]!);
  let isWhole = false;
  async function* texts(): AsyncGenerator<string, void> {
    yield `${JSON.stringify(about).slice(0, -1)},"data":[`;
    yield JSON.stringify(first);
    for (const file of files.slice(1)) yield `,${JSON.stringify(await entry(file))}`;
    yield ']}';
    // Asked for more: the last was taken.
    isWhole = true;
  }
  return c.body(
    bodyOf(texts(), () => sent(isWhole)),
    200,
    { 'Content-Type': 'application/json' },
  );
}

/** @throws OpenAIError no_image */
export function imagesIn(states: JobState[]): Found[] {
  const found = states.flatMap((state) => imagesOf(state).map((image) => ({ state, image })));
  if (found.length > 0) return found;
  const [{ jobId }] = states as [JobState];
  throw new OpenAIError(
    422,
    'image_generation_error',
    'no_image',
    `This model made no image; what it made is at GET /api/status/${jobId}`,
    'model',
    NO_REPETITION,
  );
}

/** What is said of an image beside its bytes. */
export function described(
  { width, height }: JobImage,
  { contentType }: LinkedFile,
  quality: string | undefined,
) {
  return {
    background: 'opaque',
    output_format: contentType.slice('image/'.length),
    ...(quality !== undefined && { quality }),
    size: `${width}x${height}`,
  };
}

/** No tokens: what is used is a GPU. */
export function usageOf(states: JobState[]) {
  const none = { image_tokens: 0, text_tokens: 0 };
  return {
    input_tokens: 0,
    output_tokens: 0,
    total_tokens: 0,
    input_tokens_details: none,
    output_tokens_details: none,
    gpu_seconds: states.reduce((sum, { gpuMs = 0 }) => sum + gpuMs, 0) / 1000,
  };
}

export async function base64Of(deps: FacadeDeps, { key, filename }: LinkedFile): Promise<string> {
  const bytes = await wholeFile(deps, key, MAX_INLINE_BYTES);
  if (bytes) return bytes.toString('base64');
  throw new OpenAIError(
    422,
    'image_generation_error',
    'image_too_large',
    `${filename} has over ${MAX_INLINE_BYTES} bytes, too many for base64: send "response_format": "url"`,
    'response_format',
    NO_REPETITION,
  );
}
