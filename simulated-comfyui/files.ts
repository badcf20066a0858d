// Nodes that save or show something other than pictures: names, keys and file names as in 0.33.
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Named } from './folders.ts';
import { latin1 } from './bytes.ts';
import { glb } from './glb.ts';
import { FILM } from './h264.ts';
import { mkv, webm } from './matroska.ts';
import { mp4 } from './mp4.ts';
import type { NodeCall, NodeResult } from './node-call.ts';
import { encodePng } from './png.ts';
import { dumps } from './python-json.ts';
import { type Picture, paintingOf } from './painting.ts';
import { str } from './python-text.ts';
import { numberOf, valueOf } from './sizes.ts';
import { flac, mp3, opus } from './sound.ts';
import type { Value } from './value.ts';

interface Save {
  key: string;
  type?: 'temp';
  /** Constant where the node has no prefix. */
  prefix?: string;
  extension: (call: NodeCall) => string;
  /** 0.33 writes `A_00001.flac`, where images are `A_00001_.png`. */
  plain?: true;
  bytes: (call: NodeCall) => Buffer;
  more?: (call: NodeCall) => Record<string, unknown>;
}

/** What plays or opens, with the node's key in it: two files differ if and only if their keys do. */
const FORMATS = {
  flac: ({ signature }: NodeCall) => flac(220 + parseInt(signature.slice(0, 2), 16), signature),
  mp3: ({ signature }: NodeCall) => mp3(signature),
  opus: ({ signature }: NodeCall) => opus(signature),
  mp4: (call: NodeCall) => mp4(paintingFor(call), call.signature),
  mkv: (call: NodeCall) => mkv(paintingFor(call), call.signature),
  webm: ({ signature }: NodeCall) => webm(signature),
  glb: ({ signature }: NodeCall) => glb(signature),
  tiff: ({ signature }: NodeCall) =>
    Buffer.concat([latin1('II*\0\x08\0\0\0'), Buffer.alloc(256), latin1(signature)]),
};
type Format = keyof typeof FORMATS;

const audio = (format: Format): Save => ({
  key: 'audio',
  extension: () => format,
  plain: true,
  bytes: FORMATS[format],
});
/** `auto` is MP4 for a video that was made of images. */
const container = ({ inputs }: NodeCall): Format =>
  ({ mkv: 'mkv', webm: 'webm' } as const)[str(inputs['format'])] ?? 'mp4';
const textOf = ({ inputs }: NodeCall, name: string) => {
  const value = valueOf(inputs[name]);
  return value?.text ?? (value ? value.key : str(inputs[name]));
};
/** What a film shows: its first input that is an image, or was made of one. */
function paintingFor({ inputs, signature }: NodeCall): Picture {
  const {
    words = '',
    key = signature,
    look,
  } = valueOf(inputs['video']) ?? valueOf(inputs['images']) ?? ({} as Partial<Value>);
  return paintingOf({ key, words, look }, FILM.width, FILM.height);
}
const animated = () => ({ animated: [true] });

const SAVES: Record<string, Save> = {
  SaveAudio: audio('flac'),
  SaveAudioMP3: audio('mp3'),
  SaveAudioOpus: audio('opus'),
  PreviewAudio: { ...audio('flac'), type: 'temp', prefix: 'ComfyUI_temp_simul' },
  SaveVideo: {
    key: 'images',
    extension: container,
    bytes: (call) => FORMATS[container(call)](call),
    more: animated,
  },
  SaveWEBM: { key: 'images', extension: () => 'webm', bytes: FORMATS.webm, more: animated },
  SaveAnimatedWEBP: {
    key: 'images',
    extension: () => 'webp',
    bytes: animatedWebp,
    more: ({ inputs }) => ((valueOf(inputs['images'])?.batch ?? 1) > 1 ? animated() : {}),
  },
  SaveLatent: { key: 'latents', extension: () => 'latent', bytes: latent },
  SaveGLB: { key: '3d', extension: () => 'glb', bytes: FORMATS.glb },
  SaveSVGNode: {
    key: 'images',
    extension: () => 'svg',
    bytes: ({ signature }) =>
      Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><!-- ${signature} --></svg>`),
  },
  SaveText: {
    key: 'files',
    extension: ({ inputs }) => str(inputs['format']),
    plain: true,
    bytes: (call) => Buffer.from(textOf(call, 'text')),
    more: (call) => ({ text: [textOf(call, 'text')] }),
  },
};

/** Undefined: none of these nodes. */
export async function saveFile(call: NodeCall): Promise<NodeResult | undefined> {
  const { className, folders, newer } = call;
  if (className === 'PreviewAny') return { outputs: [], ui: { text: [textOf(call, 'source')] } };
  if (className === 'LabSaveAs') return saveAs(call);
  const save = SAVES[className];
  if (!save) return undefined;
  const name: Named = { extension: save.extension(call), plain: newer && save.plain === true };
  const prefix = save.prefix ?? textOf(call, 'filename_prefix');
  const files = async function* () {
    yield save.bytes(call);
  };
  const saved = await folders.save(save.type ?? 'output', prefix, files(), name);
  return { outputs: [], ui: { ...save.more?.(call), [save.key]: saved } };
}

/** A header with the graph, as `save_torch_file` writes it, and four numbers. */
function latent({ graph }: NodeCall): Buffer {
  const about = (from: number, to: number, shape: number[]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [from, to],
  });
  const header = Buffer.from(
    dumps({
      __metadata__: { prompt: dumps(graph) },
      latent_format_version_0: about(0, 0, [0]),
      latent_tensor: about(0, 16, [1, 4]),
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(16)]);
}

/** Frames of a lossless bitstream's first bytes: its structure is that of a WebP, its pixels are none. */
function animatedWebp({ inputs, signature }: NodeCall): Buffer {
  const { width = 64, height = 64, batch = 1 } = valueOf(inputs['images']) ?? {};
  const chunk = (type: string, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const canvas = Buffer.alloc(10);
  canvas[0] = 2;
  canvas.writeUIntLE(width - 1, 4, 3);
  canvas.writeUIntLE(height - 1, 7, 3);
  const frames = Array.from({ length: batch }, (_, index) =>
    chunk('ANMF', Buffer.concat([Buffer.alloc(16), chunk('VP8L', Buffer.from(`/${signature} ${index}`))])),
  );
  const body = Buffer.concat([
    latin1('WEBP'),
    chunk('VP8X', canvas),
    chunk('ANIM', Buffer.alloc(6)),
    ...frames,
  ]);
  return chunk('RIFF', body);
}

/** As custom nodes may: any bytes under any name, listed under any key, as of any folder. */
async function saveAs(call: NodeCall): Promise<NodeResult> {
  const { inputs, folders } = call;
  const [file, subfolder, type, kind] = ['file', 'subfolder', 'type', 'kind'].map((name) =>
    textOf(call, name),
  ) as [string, string, string, string];
  const folder = join(folders.byType(type === 'temp' ? 'temp' : 'output')!, subfolder);
  const path = join(folder, file);
  const { key = '', words = '', width = 64, height = 64 } = valueOf(inputs['images']) ?? {};
  const png = () => encodePng(paintingOf({ key, words }, width, height), {});
  const texts: Record<string, string> = {
    text: 'only a text',
    html: '<!DOCTYPE html>\n<script>alert(1)</script>',
    svg: '<?xml version="1.0"?>\n<!-- a drawing --><svg onload="alert(1)"></svg>',
    empty: '',
  };
  if (kind !== 'none') {
    await mkdir(folder, { recursive: true });
    const isFormat = Object.hasOwn(FORMATS, kind);
    const bytes = isFormat ? FORMATS[kind as Format](call) : (texts[kind] ?? unknown(kind) ?? (await png()));
    await writeFile(path, bytes);
    const megabytes = numberOf(inputs['megabytes']);
    // A hole: it takes no room on the disk.
    if (megabytes > 0) await truncate(path, megabytes * 1024 * 1024);
  }
  const entry = { filename: file, subfolder, ...(type !== 'missing' && { type }) };
  return { outputs: [], ui: { [textOf(call, 'key')]: type === 'path' ? [join(subfolder, file)] : [entry] } };
}

function unknown(kind: string): Buffer | undefined {
  return kind === 'unknown' ? Buffer.from([1, 2, 3, 0xfe, 0xff, 0]) : undefined;
}
