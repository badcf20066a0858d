// What a file is, by its bytes; and what its name may add.

import { describe, expect, it } from 'vitest';
import { MEDIA_HEAD, mediaTypeOf } from '../../functions/images/media-type.ts';

const of = (bytes: string | Buffer, name = 'x') => {
  const head = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const { kind, contentType, extension } = mediaTypeOf(head, name);
  return `${kind} ${contentType} ${extension}`;
};
/** The first bytes of files that a ComfyUI 0.33.0 wrote, and of others as their formats have them. */
const BYTES: [string, string, string][] = [
  ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'image image/png png'],
  ['GIF', 'GIF89a\x1f\0\x11\0', 'image image/gif gif'],
  ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf', 'image image/avif avif'],
  ['AVIF by its brands', '\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf', 'image image/avif avif'],
  ['HEIC', '\0\0\0\x20ftypheic\0\0\0\0mif1heic', 'image image/heic heic'],
  ['TIFF', 'II*\0\x08\0\0\0', 'image image/tiff tiff'],
  ['EXR', 'v/1\x01\x02\0\0\0', 'image image/x-exr exr'],
  ['MP4', '\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41', 'video video/mp4 mp4'],
  ['M4A', '\0\0\0\x20ftypM4A \0\0\x02\0', 'audio audio/mp4 m4a'],
  ['MOV', '\0\0\0\x14ftypqt  \0\0\x02\0', 'video video/quicktime mov'],
  ['MKV', '\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroskaB\x87\x81\x04', 'video video/x-matroska mkv'],
  [
    'WebM',
    '\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87\x81\x04...V_VP9..A_OPUS',
    'video video/webm webm',
  ],
  [
    'WebM of sound',
    '\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87\x81\x04...A_OPUS',
    'audio audio/webm weba',
  ],
  ['AVI', 'RIFF\0\0\0\0AVI LIST', 'video video/x-msvideo avi'],
  ['FLAC', 'fLaC\0\0\0\x22', 'audio audio/flac flac'],
  ['MP3 with a tag', 'ID3\x04\0\0\0\0\0\0', 'audio audio/mpeg mp3'],
  ['MP3', '\xff\xfb\x90\x44', 'audio audio/mpeg mp3'],
  ['Opus', `OggS\0\x02${'\0'.repeat(20)}\x01\x13OpusHead`, 'audio audio/ogg opus'],
  ['Vorbis', `OggS\0\x02${'\0'.repeat(20)}\x01\x1e\x01vorbis`, 'audio audio/ogg ogg'],
  ['WAV', 'RIFF\x24\0\0\0WAVEfmt ', 'audio audio/wav wav'],
  ['GLB', 'glTF\x02\0\0\0\0\0\0\0', '3d model/gltf-binary glb'],
  ['PLY', 'ply\nformat binary_little_endian 1.0\n\xff\xfe', '3d model/ply ply'],
  ['USDZ', `PK\x03\x04${'\0'.repeat(26)}scene.usdc`, '3d model/vnd.usdz+zip usdz'],
  ['ZIP', `PK\x03\x04${'\0'.repeat(26)}a.txt`, 'file application/zip zip'],
  [
    'latent',
    '\xf8\x01\0\0\0\0\0\0{"latent_tensor":{"dtype":"F32"}}',
    'latent application/octet-stream latent',
  ],
  [
    'safetensors',
    '\xf8\x01\0\0\0\0\0\0{"lora_up":{"dtype":"F32"}}',
    'file application/octet-stream safetensors',
  ],
  ['PDF', '%PDF-1.7\n', 'file application/pdf pdf'],
  ['nothing that is known', '\x01\x02\x03\xfe\xff\0', 'file application/octet-stream bin'],
];

describe('by content', () => {
  it.each(BYTES)('%s', (_, bytes, type) => {
    expect(of(bytes, 'without')).toBe(type);
    // Under the name of something else it is the same.
    expect(of(bytes, 'x.html').replace('bin', 'BIN')).toBe(type.replace('bin', 'BIN'));
  });

  it.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    [
      'SVG behind its prolog',
      '\ufeff<?xml version="1.0"?>\n<!-- <html> -->\n<!DOCTYPE svg PUBLIC "a" "b">\n<svg\n>',
    ],
    ['SVG with entities', '<?xml version="1.0"?><!DOCTYPE svg [ <!ENTITY a "b"> ]><SVG >'],
  ])('%s, whatever its name', (_, text) => {
    for (const name of ['x.svg', 'x.txt', 'x.json'])
      expect(of(Buffer.from(text), name)).toBe('image image/svg+xml svg');
  });

  it.each([
    '<!DOCTYPE html><p>',
    ' \n<html>',
    '<!-- a --><script>alert(1)</script>',
    '<?php ?><body>',
    '<IFRAME src>',
  ])('a page: %j', (text) => {
    for (const name of ['x.html', 'x.txt', 'x.md', 'x.obj'])
      expect(of(text, name)).toBe('text text/html html');
  });
});

describe('a name sets apart', () => {
  it.each([
    ['x.txt', 'text text/plain txt'],
    ['x.MD', 'text text/markdown md'],
    ['x.json', 'text application/json json'],
    ['x.csv', 'text text/csv csv'],
    ['x.obj', '3d model/obj obj'],
    ['x.gltf', '3d model/gltf+json gltf'],
    ['x.svg', 'text text/plain txt'],
    ['x.html', 'text text/plain txt'],
    ['x.constructor', 'text text/plain txt'],
    ['x', 'text text/plain txt'],
  ])('kinds of text: %s', (name, type) => {
    expect(of(Buffer.from('wörter, 字'), name)).toBe(type);
  });

  it.each([
    ['x.splat', '3d application/octet-stream splat'],
    ['x.latent', 'latent application/octet-stream latent'],
    ['x.dat', 'file application/octet-stream dat'],
    ['x.html', 'file application/octet-stream bin'],
    ['x.SVGZ', 'file application/octet-stream bin'],
    ['x.mp4', 'file application/octet-stream mp4'],
    ['x.hasOwnProperty', 'file application/octet-stream bin'],
  ])('what has no signature: %s', (name, type) => {
    expect(of(Buffer.from([1, 2, 3, 0xfe, 0xff, 0]), name)).toBe(type);
  });

  it('a splat, or a latent with a long graph, from what it is packed in', () => {
    expect(of('\x1f\x8b\x08\0', 'x.spz')).toBe('3d application/octet-stream spz');
    expect(of('\x1f\x8b\x08\0', 'x.gz')).toBe('file application/gzip gz');
    const long = `\xf8\x81\0\0\0\0\0\0{"__metadata__":{"prompt":"${'x'.repeat(2 * MEDIA_HEAD)}`;
    expect(of(long, 'x.latent')).toBe('latent application/octet-stream latent');
  });
});

it('a text whose last character is cut by the end of the head is a text', () => {
  const text = Buffer.from(`${'x'.repeat(MEDIA_HEAD - 1)}ü`);
  expect(of(text.subarray(0, MEDIA_HEAD))).toBe('text text/plain txt');
  expect(of(Buffer.from([0xff, 0xfe, 0x41, 0]))).toBe('file application/octet-stream bin');
});

it('ends soon whatever it is given', () => {
  const hostile = ['<!--', '<!-- -->', '<?x', ' ', '<!doctype [', 'solid \n', '\x1aE\xdf\xa3webmA_', 'OggS'];
  const start = performance.now();
  for (const part of hostile) of(part.repeat(MEDIA_HEAD).slice(0, MEDIA_HEAD));
  expect(performance.now() - start).toBeLessThan(1000);
});
