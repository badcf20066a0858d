// Runs a node: how long it takes, what it reads and writes, and its results.
// Makes pixels only when an image is saved; other files are in files.ts.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import type { NodeCall, NodeResult } from './node-call.ts';
import { Painting, paintingOf, unfinished } from './painting.ts';
import { saveFile } from './files.ts';
import { encodeBlockyJpeg } from './jpeg.ts';
import { fileInputOf } from './catalogue.ts';
import { encodePng } from './png.ts';
import { dumps } from './python-json.ts';
import { PythonError, str } from './python-text.ts';
import { numberOf, type Size, sizeOf, valueOf } from './sizes.ts';
import type { Value } from './value.ts';

/** More than any test needs, less than would exhaust this process's memory. */
const largestPixels = 64 * 1024 * 1024;
const previewPixels = 512;

export async function runNode(call: NodeCall): Promise<NodeResult> {
  const { className, inputs } = call;
  if (className === 'LabSaveFixed') return saveFixed(call);
  const file = call.info.output_node && (await saveFile(call));
  if (file) return { ...file, outputs: handOn(call, sizeOf(className, inputs)) };
  if (call.info.output_node) return saveImages(call);
  const text = textOf(call);
  if (text !== undefined) return { outputs: [{ words: '', key: `${call.signature}:0`, text }] };
  const reads = fileInputOf(className);
  if (reads) return reads.kind === 'image' ? loadImage(call) : loadMedium(call, reads.field);
  const size = sizeOf(className, inputs);
  if (size.width * size.height > largestPixels)
    throw new PythonError('torch.OutOfMemoryError', 'Allocation on device: too large for the simulation');
  if (className === 'CheckpointLoaderSimple') await call.load(str(inputs['ckpt_name']));
  if (className === 'KSampler') await sample(call, numberOf(inputs['denoise'], 1) > 0, inputs['steps'], size);
  if (className === 'SamplerCustomAdvanced') await sample(call, true, valueOf(inputs['sigmas'])?.steps, size);
  if (className === 'LabSlowImage') {
    for (let step = 1; step <= 10; step++) {
      await call.work(numberOf(inputs['ms']) / 10);
      call.progress(step, 10);
    }
  }
  return { outputs: handOn(call, size) };
}

async function sample(call: NodeCall, any: boolean, count: unknown, size: Size): Promise<void> {
  const steps = any ? numberOf(count) : 0;
  for (let step = 1; step <= steps; step++) {
    await call.work(call.stepMs);
    const preview = () => paintPreview(call, size, step / steps);
    call.progress(step, steps, call.previews ? preview : undefined);
  }
}

function paintPreview(call: NodeCall, size: Size, done: number): Buffer {
  const shrink = Math.min(1, previewPixels / 8 / Math.max(size.width, size.height));
  // Of a batch, the first.
  const look = `${call.signature} image 0`;
  const side = (cells: number) => Math.max(1, Math.round(cells * shrink));
  const subject = { key: look, look, words: wordsOf(call) };
  return encodeBlockyJpeg(unfinished(subject, side(size.width), side(size.height), done));
}

/** The text of the prompt follows the conditioning, else any input that has text. */
function wordsOf({ className, inputs }: NodeCall): string {
  if (className === 'CLIPTextEncode') return str(inputs['text']);
  const first = [inputs['positive'], inputs['conditioning'], inputs['guider'], ...Object.values(inputs)];
  return first.map((input) => valueOf(input)?.words ?? '').find((words) => words !== '') ?? '';
}

const SAMPLERS = ['KSampler', 'SamplerCustomAdvanced'];

function handOn(call: NodeCall, size: Size): Value[] {
  const { inputs, info, className } = call;
  const words = wordsOf(call);
  const look = SAMPLERS.includes(className)
    ? call.signature
    : Object.values(inputs).flatMap((input) => valueOf(input)?.look ?? [])[0];
  const numbers = [size.width, size.height, size.batch];
  return info.output.map((type, slot): Value => {
    const value: Value = { words, key: `${call.signature}:${slot}`, ...(look !== undefined && { look }) };
    if (type === 'IMAGE' || type === 'LATENT' || type === 'MASK') Object.assign(value, size);
    if (type === 'SIGMAS') value.steps = numberOf(inputs['steps']);
    if (type === 'VAE') value.ratio = cellOf(className, inputs['vae_name']);
    if (type === 'INT') value.number = numbers[slot] ?? 0;
    return value;
  });
}

function cellOf(className: string, vaeName: unknown): number {
  if (className !== 'VAELoader') return 8;
  if (vaeName === 'pixel_space') return 1;
  return str(vaeName).includes('flux2') ? 16 : 8;
}

async function readInput(call: NodeCall, field: string): Promise<{ path: string; bytes: Buffer }> {
  const path = call.folders.pathOfInput(str(call.inputs[field]));
  const bytes = await readFile(path).catch(() => {
    throw new PythonError('FileNotFoundError', `[Errno 2] No such file or directory: '${path}'`);
  });
  return { path, bytes };
}

/** How the containers that it opens begin: FLAC, Ogg, MP3, WAV and AVI, MP4, Matroska. */
const MEDIA = /^(fLaC|OggS|ID3|\xff[\xe0-\xff]|RIFF[^]{4}(WAVE|AVI )|[^]{4}ftyp|[^]\x45\xdf\xa3)/;

/** A sound or a film: looked at, and known by its content from then on. */
async function loadMedium(call: NodeCall, field: string): Promise<NodeResult> {
  const { path, bytes } = await readInput(call, field);
  if (!MEDIA.test(bytes.toString('latin1', 0, 16)))
    throw new PythonError(
      'av.error.InvalidDataError',
      `[Errno 1094995529] Invalid data found when processing input: '${path}'`,
    );
  return { outputs: handOn(call, { width: 64, height: 64, batch: 1 }) };
}

async function loadImage(call: NodeCall): Promise<NodeResult> {
  const { path, bytes } = await readInput(call, 'image');
  let size: Size;
  try {
    const { width, height, orientation } = imageSize(bytes);
    const turned = (orientation ?? 1) >= 5;
    size = { width: turned ? height : width, height: turned ? width : height, batch: 1 };
  } catch {
    throw new PythonError('PIL.UnidentifiedImageError', `cannot identify image file '${path}'`);
  }
  return { outputs: handOn(call, size) };
}

async function saveImages(call: NodeCall): Promise<NodeResult> {
  const { className, inputs, folders } = call;
  const images = valueOf(inputs['images']);
  if (images === undefined || (className !== 'SaveImage' && className !== 'PreviewImage'))
    throw new PythonError('NotImplementedError', `the simulated ComfyUI cannot run ${className}`);
  const width = images.width ?? 64;
  const height = images.height ?? 64;
  const texts = { prompt: call.graph, ...call.extraPngInfo };
  const chunks = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, dumps(value)]));
  const files = async function* () {
    for (let index = 0; index < (images.batch ?? 1); index++) {
      const of = (signature: string) => `${signature} image ${index}`;
      const subject = {
        key: of(images.key),
        words: images.words,
        look: images.look === undefined ? undefined : of(images.look),
      };
      yield encodePng(paintingOf(subject, width, height), chunks);
    }
  };
  const preview = className === 'PreviewImage';
  const prefixed = inputs['filename_prefix'];
  const wanted = preview ? 'ComfyUI_temp_simul' : (valueOf(prefixed)?.text ?? str(prefixed));
  const prefix = fillIn(wanted, width, height);
  return { outputs: [], ui: { images: await folders.save(preview ? 'temp' : 'output', prefix, files()) } };
}

/** The text of a node that only joins or holds texts. */
function textOf({ className, inputs }: NodeCall): string | undefined {
  const one = (name: string) => valueOf(inputs[name])?.text ?? str(inputs[name]);
  if (className === 'PrimitiveString') return one('value');
  if (className === 'StringConcatenate') return [one('string_a'), one('string_b')].join(one('delimiter'));
  return undefined;
}

/** Saves as custom nodes do: always under the same name, overwriting what was there. */
async function saveFixed({ inputs, folders }: NodeCall): Promise<NodeResult> {
  const images = valueOf(inputs['images']);
  const filename = str(inputs['file']);
  const path = join(folders.byType('output')!, filename);
  const png = await encodePng(
    new Painting(
      { key: images?.key ?? '', words: images?.words ?? '' },
      images?.width ?? 64,
      images?.height ?? 64,
    ),
    {},
  );
  const kinds: Record<string, Buffer | string> = {
    text: 'no picture at all, just a text in a file that is named as one',
    empty: '',
    cut: png.subarray(0, Math.floor(png.length / 2)),
  };
  const kind = str(inputs['kind']);
  if (kind !== 'none') await writeFile(path, kinds[kind] ?? png);
  return { outputs: [], ui: { images: [{ filename, subfolder: '', type: 'output' }] } };
}

function fillIn(prefix: string, width: number, height: number): string {
  if (!prefix.includes('%')) return prefix;
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, '0');
  const values: Record<string, string> = {
    width: String(width),
    height: String(height),
    year: String(now.getFullYear()),
    month: two(now.getMonth() + 1),
    day: two(now.getDate()),
    hour: two(now.getHours()),
    minute: two(now.getMinutes()),
    second: two(now.getSeconds()),
  };
  return prefix.replaceAll(/%(\w+)%/g, (whole, name: string) => values[name] ?? whole);
}
