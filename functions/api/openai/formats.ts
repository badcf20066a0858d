// The format in which a call wants its images. PNG is what ComfyUI saved; the others are made of it once and kept as derived files, so
// that a repetition, and a link, find them.

import type { JobImage, JobState } from '../../core/job.ts';
import { AppError } from '../../core/errors.ts';
import { keys } from '../../core/names.ts';
import { derivedKey } from '../admission/derived.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import type { LinkedFile } from '../http/output-link.ts';
import { NO_REPETITION, OpenAIError } from './errors.ts';

const FORMATS = ['png', 'jpeg', 'webp'] as const;

export interface Format {
  name: (typeof FORMATS)[number];
  /** 0 to 100. */
  quality: number;
}

export interface Found {
  state: JobState;
  image: JobImage;
}

const invalid = OpenAIError.invalid;

/** @throws OpenAIError */
export function formatOf(format: unknown = 'png', compression: unknown = 100): Format {
  const name = FORMATS.find((one) => one === format);
  if (name === undefined) throw invalid('output_format', 'unsupported_value', 'must be png, jpeg or webp');
  const param = 'output_compression';
  if (typeof compression !== 'number' || !Number.isInteger(compression))
    throw invalid(param, 'invalid_type', 'must be a whole number from 0 to 100');
  if (compression < 0) throw invalid(param, 'integer_below_min_value', 'must be from 0 to 100');
  if (compression > 100) throw invalid(param, 'integer_above_max_value', 'must be from 0 to 100');
  if (name === 'png' && compression !== 100)
    throw invalid(param, 'unsupported_value', 'must be 100 for png: less is for jpeg and webp');
  return { name, quality: compression };
}

/** The file that is given for an image, which is there then. @throws OpenAIError, AppError */
export async function fileOf(
  { derived }: FacadeDeps,
  { state, image }: Found,
  { name, quality }: Format,
): Promise<LinkedFile> {
  const { filename, contentType } = image;
  const wanted = `image/${name}`;
  if (name === 'png' || (contentType === wanted && quality === 100))
    return { key: keys.image(state.jobId, state.attempt, filename), filename, contentType };
  const extension = name === 'jpeg' ? 'jpg' : name;
  const derivation = { made: `q${quality}.${extension}`, order: { format: name, quality } };
  const found = { state, output: image };
  await derived.make(found, derivation).catch((error: unknown) => {
    throw error instanceof AppError && error.code === 'not_convertible' ? unconvertible(error) : error;
  });
  return {
    key: derivedKey(found, derivation),
    filename: filename.replace(/[^.]+$/, extension),
    contentType: wanted,
  };
}

function unconvertible({ code, message }: AppError): OpenAIError {
  return new OpenAIError(422, 'image_generation_error', code, message, 'output_format', NO_REPETITION);
}
