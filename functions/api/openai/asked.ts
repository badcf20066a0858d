// What a call asks for: the jobs that make its images, as POST /api/generate would be sent them, and how the answer is to be. Each
// parameter of OpenAI's has an effect, is what would happen anyway, or is refused by its name.

import { type Bounds, boundsOf, type Template } from '../../core/inputs-file.ts';
import { MAX_LABEL_BYTES, MAX_SEED } from '../../core/limits.ts';
import { OpenAIError } from './errors.ts';
import { type Format, formatOf } from './formats.ts';
import { sizeOf } from './size.ts';

export const MAX_IMAGES = 10;
export const MAX_PARTIAL_IMAGES = 3;

export interface Asked {
  /** Of each job; together they make the images. */
  jobs: Record<string, unknown>[];
  responseFormat: 'b64_json' | 'url';
  format: Format;
  /** As it was asked for; undefined: the model's own. */
  quality: string | undefined;
  size: string;
  /** Parameters that the model has nothing of, and that its clients send all the same. */
  unused: string[];
  /** Unfinished images, of a stream; undefined: the answer comes as a whole. */
  partialImages: number | undefined;
}

type Body = Record<string, unknown>;

const invalid = OpenAIError.invalid;

/** Parameters that a template may have as inputs of its own, which then take the value. */
const MAY_BE_INPUTS = [
  'quality',
  'background',
  'style',
  'moderation',
  'input_fidelity',
  'complexity',
] as const;

/** Values that change nothing: they name what happens here anyway. */
const WITHOUT_EFFECT: Record<string, { values: readonly unknown[]; else: string }> = {
  background: {
    values: ['auto', 'opaque'],
    else: 'must be auto or opaque: this model makes no transparent image',
  },
  style: { values: ['vivid'], else: 'must be vivid: say in the prompt how the image should look' },
  moderation: { values: ['auto', 'low'], else: 'must be auto or low' },
  input_fidelity: { values: ['low'], else: 'must be low: this model has no other' },
};

const REFUSED = ['complexity', 'frame_count', 'frame_duration_ms', 'markup', 'svg'];

/** @param body parsed JSON, or the fields of a form @throws OpenAIError */
export function askedOf(template: Template, given: Body): Asked {
  const { model: _, prompt, n, size, ...rest } = withoutNulls(given);
  const { response_format: responseFormat = 'b64_json', stream = false, partial_images: partials } = rest;
  if (responseFormat !== 'b64_json' && responseFormat !== 'url')
    throw invalid('response_format', 'invalid_value', 'must be b64_json or url');
  if (typeof stream !== 'boolean') throw invalid('stream', 'invalid_type', 'must be true or false');
  const partialImages = wholeOf('partial_images', partials ?? 0, 0, MAX_PARTIAL_IMAGES);
  if (partials !== undefined && !stream)
    throw invalid('partial_images', 'unsupported_parameter', 'is for calls with "stream": true');
  if (stream && responseFormat === 'url')
    throw invalid('response_format', 'unsupported_value', 'must be b64_json where the answer is streamed');
  const format = formatOf(rest['output_format'], rest['output_compression']);
  // OpenAI's clients send one always: a workflow without words makes its image all the same.
  const takesPrompt = Object.hasOwn(template.inputs, 'prompt');
  if (prompt === undefined && takesPrompt)
    throw invalid('prompt', 'missing_required_parameter', 'is required');

  const inputs = refuseWithoutEffect(template, without(rest, ANSWERS));
  for (const name of ['workflow', 'batch_size', 'width', 'height'])
    if (inputs[name] !== undefined)
      throw invalid(name, 'unknown_parameter', `is ${INSTEAD[name]} in this API`);
  const label = labelOf(inputs);
  const quality = qualityOf(template, inputs);
  const body = {
    ...inputs,
    ...label,
    ...(quality?.preset !== undefined && { preset: quality.preset }),
    ...sizeOf(template, size),
    workflow: template.name,
    ...(takesPrompt && { prompt }),
  };
  return {
    jobs: jobsOf(template, body, wholeOf('n', n ?? 1, 1, MAX_IMAGES)),
    responseFormat,
    format,
    quality: quality?.asked,
    size: typeof size === 'string' ? size : 'auto',
    unused: takesPrompt || prompt === undefined ? [] : ['prompt'],
    partialImages: stream ? partialImages : undefined,
  };
}

const INSTEAD: Record<string, string> = {
  workflow: '"model"',
  batch_size: '"n"',
  width: '"size"',
  height: '"size"',
};

/** What a call says of its answer. */
const ANSWERS = ['response_format', 'stream', 'partial_images', 'output_format', 'output_compression'];

function without(body: Body, names: readonly string[]): Body {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

/** Clients send null for what they leave out. */
function withoutNulls(body: Body): Body {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

function wholeOf(param: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw invalid(param, 'invalid_type', `must be a whole number from ${least} to ${most}`);
  if (value < least)
    throw invalid(param, 'integer_below_min_value', `must be a whole number from ${least} to ${most}`);
  if (value > most)
    throw invalid(param, 'integer_above_max_value', `must be a whole number from ${least} to ${most}`);
  return value;
}

/** @returns the rest */
function refuseWithoutEffect(template: Template, body: Body): Body {
  const rest: Body = {};
  for (const [name, value] of Object.entries(body)) {
    const isInput =
      (MAY_BE_INPUTS as readonly string[]).includes(name) && Object.hasOwn(template.inputs, name);
    const known = isInput || !Object.hasOwn(WITHOUT_EFFECT, name) ? undefined : WITHOUT_EFFECT[name];
    if (!isInput && REFUSED.includes(name))
      throw invalid(
        name,
        'unsupported_parameter',
        `is not taken: the model ${template.name} has nothing of it`,
      );
    if (!known) rest[name] = value;
    else if (!known.values.includes(value)) throw invalid(name, 'unsupported_value', known.else);
  }
  return rest;
}

/** `safety_identifier` or `user` as the label `user`, beside those of `metadata`; both are taken out. */
function labelOf(inputs: Body): Body {
  const { user, safety_identifier: identifier, metadata } = inputs;
  delete inputs['user'];
  delete inputs['safety_identifier'];
  const param = identifier ? 'safety_identifier' : 'user';
  const value = identifier || user;
  if (value === undefined || value === '') return {};
  if (typeof value !== 'string' || Buffer.byteLength(value) > MAX_LABEL_BYTES)
    throw invalid(param, 'invalid_value', `must be a text of at most ${MAX_LABEL_BYTES} bytes`);
  if (metadata !== undefined && (typeof metadata !== 'object' || Array.isArray(metadata)))
    throw invalid('metadata', 'invalid_type', 'must be an object of texts by name');
  return { metadata: { ...metadata, user: value } };
}

const NO_PRESET = ['auto', 'standard'];

/** The template's preset of that name. Takes it out of the inputs. */
function qualityOf(
  template: Template,
  inputs: Body,
): { asked: string | undefined; preset: string | undefined } | undefined {
  const { quality, preset } = inputs;
  if (quality === undefined || Object.hasOwn(template.inputs, 'quality')) return undefined;
  delete inputs['quality'];
  if (typeof quality === 'string' && NO_PRESET.includes(quality)) return undefined;
  const name = quality === 'hd' ? 'high' : quality;
  const presets = Object.keys(template.presets);
  if (typeof name !== 'string' || !presets.includes(name))
    throw invalid(
      'quality',
      'unsupported_value',
      `must be auto or standard, for what the model ${template.name} does by itself${presets.length > 0 ? `, or a preset of it: ${presets.join(', ')}` : ''}`,
    );
  if (preset !== undefined)
    throw invalid('quality', 'unsupported_parameter', 'is a preset too: send one of both');
  return { asked: name, preset: name };
}

/** As few jobs as make `n` images: one where the template's batch may be so large. */
function jobsOf(template: Template, body: Body, n: number): Body[] {
  const batch = template.inputs['batch_size'];
  const most = batch?.type === 'integer' ? Number(boundsOf(batch).maximum ?? n) : 1;
  const [seed, seedSpec] = Object.entries(template.inputs).find(([, { type }]) => type === 'seed') ?? [];
  const jobs: Body[] = [];
  for (let left = n; left > 0; left -= most) {
    const job: Body = { ...body };
    if (batch?.type === 'integer') job['batch_size'] = Math.min(left, most);
    // The same seed would make the same image again.
    if (seed !== undefined && body[seed] !== undefined)
      job[seed] = later(body[seed], jobs.length, boundsOf(seedSpec!));
    jobs.push(job);
  }
  return jobs;
}

/** After the last seed comes the first. What is no seed stays, to be refused. */
function later(seed: unknown, by: number, { minimum = 0, maximum = MAX_SEED }: Bounds): unknown {
  const text = typeof seed === 'bigint' || typeof seed === 'number' ? String(seed) : seed;
  if (by === 0 || typeof text !== 'string' || !/^\s*\+?\d{1,20}\s*$/.test(text)) return seed;
  const [first, last, given] = [BigInt(minimum), BigInt(maximum), BigInt(text.trim().replace('+', ''))];
  if (given < first || given > last) return seed;
  const next = first + ((given - first + BigInt(by)) % (last - first + 1n));
  return Number.isSafeInteger(Number(next)) ? Number(next) : next;
}
