// A file's media type by its first bytes. A name never overrules them: it sets kinds of text apart, and names what has no
// signature (a binary STL, a Gaussian splat).

import type { OutputKind } from '../core/job-output.ts';

export interface MediaType {
  kind: OutputKind;
  contentType: string;
  /** Of a published name. */
  extension: string;
}

/** On the head as Latin-1. */
type Test = (head: string) => boolean;
type Signature = [Test, OutputKind, string, string];

/** As many bytes as the signatures look at. */
export const MEDIA_HEAD = 4096;

const at =
  (offset: number, ...begins: string[]): Test =>
  (head) =>
    begins.some((bytes) => head.startsWith(bytes, offset));
const within =
  (end: number, bytes: string): Test =>
  (head) =>
    head.slice(0, end).includes(bytes);
const all =
  (...tests: Test[]): Test =>
  (head) =>
    tests.every((test) => test(head));
const MP4 = at(4, 'ftyp');
const MATROSKA = at(0, '\x1aE\xdf\xa3');
const OGG = at(0, 'OggS');
const ZIP = at(0, 'PK\x03\x04');
const SAFETENSORS = at(4, '\0\0\0\0{"');

/** In this order: some begin like others. */
const SIGNATURES: readonly Signature[] = [
  [at(0, '\x89PNG\r\n\x1a\n'), 'image', 'image/png', 'png'],
  [at(0, '\xff\xd8\xff'), 'image', 'image/jpeg', 'jpg'],
  [all(at(0, 'RIFF'), at(8, 'WEBP')), 'image', 'image/webp', 'webp'],
  [at(0, 'GIF87a', 'GIF89a'), 'image', 'image/gif', 'gif'],
  [all(MP4, at(8, 'avif', 'avis')), 'image', 'image/avif', 'avif'],
  [all(MP4, at(8, 'mif1'), within(40, 'avif')), 'image', 'image/avif', 'avif'],
  [all(MP4, at(8, 'hei', 'hev', 'mif1', 'msf1')), 'image', 'image/heic', 'heic'],
  [at(0, 'II*\0', 'II+\0', 'MM\0*', 'MM\0+'), 'image', 'image/tiff', 'tiff'],
  [all(at(0, 'BM'), at(6, '\0\0\0\0')), 'image', 'image/bmp', 'bmp'],
  [at(0, 'v/1\x01'), 'image', 'image/x-exr', 'exr'],
  [at(0, '\xff\x0a', '\0\0\0\x0cJXL \r\n\x87\n'), 'image', 'image/jxl', 'jxl'],
  [at(0, '8BPS\0\x01', '8BPS\0\x02'), 'image', 'image/vnd.adobe.photoshop', 'psd'],
  [at(0, '#?RADIANCE\n', '#?RGBE\n'), 'image', 'image/vnd.radiance', 'hdr'],
  [all(MP4, at(8, 'M4A ', 'M4B ')), 'audio', 'audio/mp4', 'm4a'],
  [all(MP4, at(8, 'qt  ')), 'video', 'video/quicktime', 'mov'],
  [MP4, 'video', 'video/mp4', 'mp4'],
  [all(MATROSKA, within(64, 'webm'), hasSoundAlone), 'audio', 'audio/webm', 'weba'],
  [all(MATROSKA, within(64, 'webm')), 'video', 'video/webm', 'webm'],
  [MATROSKA, 'video', 'video/x-matroska', 'mkv'],
  [all(at(0, 'RIFF'), at(8, 'AVI ')), 'video', 'video/x-msvideo', 'avi'],
  [at(0, 'FLV\x01'), 'video', 'video/x-flv', 'flv'],
  [at(0, '\0\0\x01\xba'), 'video', 'video/mpeg', 'mpg'],
  [all(at(0, 'G'), at(188, 'G'), at(376, 'G')), 'video', 'video/mp2t', 'ts'],
  [at(0, 'fLaC'), 'audio', 'audio/flac', 'flac'],
  [all(OGG, within(300, '\x80theora')), 'video', 'video/ogg', 'ogv'],
  [all(OGG, within(300, 'OpusHead')), 'audio', 'audio/ogg', 'opus'],
  [OGG, 'audio', 'audio/ogg', 'ogg'],
  [all(at(0, 'RIFF', 'RF64'), at(8, 'WAVE')), 'audio', 'audio/wav', 'wav'],
  [all(at(0, 'FORM'), at(8, 'AIFF', 'AIFC')), 'audio', 'audio/aiff', 'aiff'],
  [at(0, 'ID3\x02', 'ID3\x03', 'ID3\x04'), 'audio', 'audio/mpeg', 'mp3'],
  [
    at(0, '\xff\xe2', '\xff\xe3', '\xff\xf2', '\xff\xf3', '\xff\xfa', '\xff\xfb'),
    'audio',
    'audio/mpeg',
    'mp3',
  ],
  [at(0, '\xff\xf0', '\xff\xf1', '\xff\xf8', '\xff\xf9'), 'audio', 'audio/aac', 'aac'],
  [at(0, 'MThd\0\0\0\x06'), 'audio', 'audio/midi', 'mid'],
  [at(0, 'glTF\x01\0\0\0', 'glTF\x02\0\0\0'), '3d', 'model/gltf-binary', 'glb'],
  [at(0, 'ply\n', 'ply\r\n'), '3d', 'model/ply', 'ply'],
  [all(at(0, 'solid '), within(MEDIA_HEAD, 'facet ')), '3d', 'model/stl', 'stl'],
  [at(0, 'Kaydara FBX Binary'), '3d', 'application/octet-stream', 'fbx'],
  [all(ZIP, within(240, '.usd')), '3d', 'model/vnd.usdz+zip', 'usdz'],
  [all(SAFETENSORS, within(MEDIA_HEAD, '"latent_tensor"')), 'latent', 'application/octet-stream', 'latent'],
  [SAFETENSORS, 'file', 'application/octet-stream', 'safetensors'],
  [ZIP, 'file', 'application/zip', 'zip'],
  [at(0, '\x1f\x8b\x08'), 'file', 'application/gzip', 'gz'],
  [at(0, '%PDF-'), 'file', 'application/pdf', 'pdf'],
];

/** By the codecs of its tracks, which stand before the first of their data. */
function hasSoundAlone(head: string): boolean {
  return head.includes('A_') && !head.includes('V_');
}

/** What a name may say of bytes that are no text and have none of the signatures, or only that of their packing. */
const BINARY_NAMES: Record<string, OutputKind> = {
  latent: 'latent',
  stl: '3d',
  splat: '3d',
  ksplat: '3d',
  spz: '3d',
  fbx: '3d',
};
const PACKINGS = ['safetensors', 'gz'];

/** What a name may say of a text. */
const TEXT_NAMES: Record<string, [OutputKind, string]> = {
  txt: ['text', 'text/plain'],
  log: ['text', 'text/plain'],
  srt: ['text', 'text/plain'],
  yaml: ['text', 'text/plain'],
  md: ['text', 'text/markdown'],
  csv: ['text', 'text/csv'],
  vtt: ['text', 'text/vtt'],
  json: ['text', 'application/json'],
  gltf: ['3d', 'model/gltf+json'],
  obj: ['3d', 'model/obj'],
  mtl: ['3d', 'model/mtl'],
  usda: ['3d', 'model/vnd.usda'],
};

/** Other extensions of files with a signature. */
const ALSO: Record<string, OutputKind> = {
  jpeg: 'image',
  tif: 'image',
  m4v: 'video',
  mpeg: 'video',
  oga: 'audio',
  aif: 'audio',
};

/** What a file of this name is meant to be; undefined: the extension does not say. */
export function kindOfExtension(extension: string): OutputKind | undefined {
  const signed = SIGNATURES.find(([, kind, , known]) => known === extension && kind !== 'file')?.[1];
  if (signed !== undefined) return signed;
  return Object.hasOwn(ALSO, extension) ? ALSO[extension] : undefined;
}

/** Names that a browser opens as a page: bytes of an unknown type get none of them. */
const PAGES = /^(x?html?|svgz?|xml|xsl|js|mjs|css|mht(ml)?)$/;

/** @param head the first `MEDIA_HEAD` bytes, or the whole of a smaller file; @param name ComfyUI's */
export function mediaTypeOf(head: Uint8Array, name: string): MediaType {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, MEDIA_HEAD));
  const latin1 = bytes.toString('latin1');
  const named = /\.([a-z0-9]{2,12})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const found = SIGNATURES.find(([test]) => test(latin1));
  if (found && !(PACKINGS.includes(found[3]) && Object.hasOwn(BINARY_NAMES, named)))
    return { kind: found[1], contentType: found[2], extension: found[3] };
  const text = textOf(bytes);
  if (text !== undefined) return textType(text, named);
  const kind = Object.hasOwn(BINARY_NAMES, named) ? BINARY_NAMES[named]! : 'file';
  const extension = named === '' || PAGES.test(named) ? 'bin' : named;
  return { kind, contentType: 'application/octet-stream', extension };
}

/** Blanks, and the escape of coloured logs. */
const IN_TEXTS = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1b];

/** Undefined: no UTF-8, or with bytes that no text has. The last character may be cut. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.some((byte) => byte === 0x7f || (byte < 0x20 && !IN_TEXTS.includes(byte)))) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

function textType(text: string, named: string): MediaType {
  const begins = withoutProlog(text);
  if (/^<svg[\s>/]/i.test(begins)) return { kind: 'image', contentType: 'image/svg+xml', extension: 'svg' };
  if (HTML.test(begins)) return { kind: 'text', contentType: 'text/html', extension: 'html' };
  if (/^\s*<\?xml\s/.test(text)) return { kind: 'text', contentType: 'application/xml', extension: 'xml' };
  const [kind, contentType] = Object.hasOwn(TEXT_NAMES, named) ? TEXT_NAMES[named]! : TEXT_NAMES['txt']!;
  return { kind, contentType, extension: Object.hasOwn(TEXT_NAMES, named) ? named : 'txt' };
}

/** The tags by which browsers take a text for a page. Source: MIME Sniffing Standard, 7.1. */
const HTML =
  /^<(!doctype|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|img|meta|link)[\s>/]/i;

/** What follows declarations, comments and blanks, as far as it is there. */
function withoutProlog(text: string): string {
  const prolog = /\s+|<\?[^]*?\?>|<!--[^]*?-->|<!doctype(?!\s+html)[^>[]*(\[[^\]]*\])?[^>]*>/iy;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  for (;;) {
    prolog.lastIndex = at;
    if (!prolog.test(text) || prolog.lastIndex === at) return text.slice(at);
    at = prolog.lastIndex;
  }
}
