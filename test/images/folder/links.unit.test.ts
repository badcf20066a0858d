// Links to images in a folder: good for a quarter of an hour, exactly as they were signed, under any name of this machine.

import { beforeEach, describe, expect, it } from 'vitest';
import { createLinks } from '../../../functions/images/folder/links.ts';
import { safetyOf } from '../../../functions/images/links.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-23T12:00:00Z');
let now = START;
beforeEach(() => {
  now = START;
});
const links = createLinks({ secret: 'of a workspace', now: () => now });
const KEY = "images/a b/ü'(1)+%2f.png";
const link = (endpoint = 'http://127.0.0.1:5000', more: { filename?: string; contentType?: string } = {}) =>
  links.link({ endpoint, key: KEY, filename: 'my image.png', ...more });
const requestOf = (url: string) => url.slice(new URL(url).origin.length);

describe('a link', () => {
  it('is read as it was signed', async () => {
    const url = requestOf(await link(undefined, { contentType: 'image/x-png' }));
    expect(links.isLink(url)).toBe(true);
    expect(links.read(url)).toEqual({ key: KEY, filename: 'my image.png', contentType: 'image/x-png' });
    expect(links.read(requestOf(await links.link({ endpoint: 'http://a', key: 'k' })))).toEqual({
      key: 'k',
      filename: undefined,
      contentType: undefined,
    });
  });

  it('is the same for every address, and keeps the path of one whose proxy strips it', async () => {
    const plain = await link('http://192.168.1.7:5000');
    const behind = await link('https://images.example.com/comfy/');
    expect(behind).toBe(plain.replace('http://192.168.1.7:5000', 'https://images.example.com/comfy'));
    expect(links.read(requestOf(behind).replace('/comfy', ''))).toMatchObject({ key: KEY });
  });

  it('ends with its time, also where the clock was set back since', async () => {
    const url = requestOf(await link());
    now = START + 15 * MINUTE - 1;
    expect(links.read(url)).toMatchObject({ key: KEY });
    now = START + 15 * MINUTE + 1;
    expect(links.read(url)).toEqual({ refused: 'The link has expired' });
    now = START - 10 * MINUTE;
    expect(links.read(url)).toMatchObject({ key: KEY });
    now = START - 16 * MINUTE;
    expect(links.read(url)).toEqual({ refused: 'The link has expired' });
  });

  it('is refused when any part of it is changed', async () => {
    const url = requestOf(await link(undefined, { contentType: 'image/png' }));
    const [place, query = ''] = url.split('?');
    const pairs = query.split('&');
    expect(pairs.length).toBe(4);
    const changed = pairs.flatMap((pair, n) => {
      const other = pair.replace(/.$/, (c) => (c === '1' ? '2' : '1'));
      return [pairs.toSpliced(n, 1), pairs.toSpliced(n, 1, other), [...pairs, pair], [...pairs, other]];
    });
    const bad = [
      ...changed.map((some) => `${place}?${some.join('&')}`),
      url.replace('.png?', '.pn?'),
      `${url}&more=1`,
      `${url}?`,
      `${place}`,
      url.replace('/signed/', '/signed//'),
      url.replace(/expires=(\d+)/, 'expires=0$1'),
      '/signed/%ff?expires=1&signature=a',
      '/signed/?',
    ];
    for (const one of bad)
      expect([one, links.read(one)]).toEqual([
        one,
        { refused: expect.stringContaining('was changed') as string },
      ]);
  });

  it('of another workspace is refused', async () => {
    const other = createLinks({ secret: 'of another', now: () => now });
    expect(other.read(requestOf(await link()))).toMatchObject({ refused: expect.any(String) as string });
  });

  it('is told from other requests', () => {
    expect(['/api/status/1', '/', '/signed', '/x/signed/a'].map((url) => links.isLink(url))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('needs an address, and a content type that a header may have', () => {
    expect(() => links.link({ key: 'a' })).toThrow('needs its address');
    expect(() => link('http://a', { contentType: 'image/png\r\nset-cookie: x=1' })).toThrow('is ASCII');
  });
});

it('names the file as RFC 6266 has it, and smuggles no header in', () => {
  expect(safetyOf('image/png', 'ü"1.png\r\nset-cookie: x')).toEqual({
    'Content-Disposition': `inline; filename="__1.png__set-cookie: x"; filename*=UTF-8''%C3%BC%221.png%0D%0Aset-cookie%3A%20x`,
  });
});

describe('what a browser may show', () => {
  it.each(['image/png', 'image/gif', 'video/mp4', 'audio/flac', 'text/plain; charset=utf-8'])(
    '%s',
    (type) => {
      expect(safetyOf(type, 'a')).toEqual({ 'Content-Disposition': 'inline; filename="a"' });
      expect(safetyOf(type)).toEqual({});
    },
  );

  it.each([
    'image/svg+xml',
    'text/html; charset=utf-8',
    'application/xml',
    'application/pdf',
    'application/octet-stream',
    'model/gltf-binary',
    'text/plainer',
    'IMAGE/SVG+XML',
    '',
  ])('and not %j', (type) => {
    const policy = "default-src 'none'; frame-ancestors 'none'; sandbox";
    expect(safetyOf(type, 'a')).toEqual({
      'Content-Disposition': 'attachment; filename="a"',
      'Content-Security-Policy': policy,
    });
    expect(safetyOf(type)).toEqual({
      'Content-Disposition': 'attachment',
      'Content-Security-Policy': policy,
    });
  });
});
