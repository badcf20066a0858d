// What every engine of images keeps to: whole images or none, whatever breaks on the way, each under its key and no other.

import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { type Images, letGo, RangeNotSatisfiable } from '../../functions/images/images.ts';
import { type Engine, ENGINES } from './engines.ts';
import { all, listen, MB, png, webStream, whole } from './support.ts';

describe.each(Object.entries(ENGINES))('images in %s', (_, open) => {
  let engine: Engine;
  let images: Images;
  beforeAll(async () => {
    engine = await open();
    images = engine.images;
  });
  afterAll(() => engine.close());

  const put = (key: string, text: string | Buffer, contentType = 'image/png') =>
    images.put(key, Buffer.from(text), { contentType });
  const text = async (key: string, range?: string) =>
    (await whole(await images.get(key, { range }))).toString();
  const listed = async (prefix: string) => (await all(images.list(prefix))).map(({ key }) => key);
  const leavesNothing = () => vi.waitFor(async () => expect(await engine.unfinished()).toEqual([]));

  it('is made young again as it is', async () => {
    expect(await images.renew('renew/none')).toBe(false);
    await put('renew/one', 'x'.repeat(300_000), 'video/mp4');
    const before = (await images.head('renew/one'))!;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await images.renew('renew/one')).toBe(true);
    const after = (await images.head('renew/one'))!;
    expect(after.lastModified.getTime()).toBeGreaterThan(before.lastModified.getTime());
    expect(after).toMatchObject({ contentType: 'video/mp4', sizeBytes: 300_000 });
    expect(await text('renew/one')).toBe('x'.repeat(300_000));
  });

  describe('put', () => {
    const content = Buffer.alloc(3 * MB, 'image');
    it.each([
      ['bytes', () => content, undefined],
      ['a Node stream', () => Readable.from([content.subarray(0, MB), content.subarray(MB)]), content.length],
      ['a web stream', () => webStream([content.subarray(0, 7), content.subarray(7)]), content.length],
      [
        'a stream of unknown length',
        () => webStream([content.subarray(0, 7), content.subarray(7)]),
        undefined,
      ],
    ])('of %s comes back whole', async (name, body, sizeBytes) => {
      const before = Math.floor(Date.now() / 1000) * 1000;
      const stored = await images.put(`put/${name}`, body(), { ...png, sizeBytes });
      const found = await images.get(`put/${name}`);
      expect(found).toMatchObject({
        ...png,
        contentLength: content.length,
        etag: stored.etag,
        partial: false,
      });
      expect(stored).toMatchObject({ sizeBytes: content.length, etag: expect.stringMatching(/^"[^"]+"$/) });
      expect((await whole(found)).equals(content)).toBe(true);
      const head = await images.head(`put/${name}`);
      expect(head).toMatchObject({ ...png, sizeBytes: content.length, etag: stored.etag });
      expect(head!.lastModified.getTime()).toBeGreaterThanOrEqual(before);
    });

    it('of nothing is an image of no bytes, and another replaces it as a whole', async () => {
      await put('empty', '');
      expect(await text('empty')).toBe('');
      await put('empty', 'full', 'image/webp');
      expect(await text('empty')).toBe('full');
      expect(await images.head('empty')).toMatchObject({ contentType: 'image/webp', sizeBytes: 4 });
      expect(await listed('empty')).toEqual(['empty']);
    });

    it('of the same bytes has the same tag, of others another', async () => {
      const { etag } = await put('tag', 'bytes');
      expect((await put('tag', 'bytes')).etag).toBe(etag);
      expect((await put('tag', 'bytez')).etag).not.toBe(etag);
    });

    it('of a stream that breaks in the middle rejects with what broke, and leaves nothing', async () => {
      for (const sizeBytes of [2 * MB, undefined]) {
        const body = webStream([Buffer.alloc(MB)], 'breaks');
        await expect(images.put('broken', body, { ...png, sizeBytes })).rejects.toThrow('half an image');
        const gone = new Readable({ read() {} });
        gone.push(Buffer.alloc(1000));
        setTimeout(() => gone.destroy(), 30);
        await expect(images.put('broken', gone, { ...png, sizeBytes })).rejects.toThrow(/[Pp]remature/);
      }
      await leavesNothing();
      expect(await images.head('broken')).toBeUndefined();
    });

    it('of half an image from a server that hangs up rejects', async () => {
      const { url, server } = await listen((_request, res) => {
        res.writeHead(200, { 'content-length': 2 * MB });
        res.write(Buffer.alloc(MB), () => setTimeout(() => res.destroy(), 20));
      });
      const view = await fetch(url);
      const body = view.body as ReadableStream<Uint8Array>;
      await expect(images.put('half', body, { ...png, sizeBytes: 2 * MB })).rejects.toThrow('terminated');
      expect(await images.get('half')).toBeUndefined();
      server.close();
    });

    it('of a stream that is not as long as promised rejects, and keeps what was there', async () => {
      await put('length', 'former');
      for (const sizeBytes of [5, 15, MB]) {
        const body = Readable.from([Buffer.alloc(10)]);
        await expect(images.put('length', body, { ...png, sizeBytes })).rejects.toMatchObject({
          name: 'IncompleteBody',
        });
        await expect(images.put('length', Buffer.alloc(10), { ...png, sizeBytes })).rejects.toThrow('not');
      }
      expect(await text('length')).toBe('former');
      await leavesNothing();
    });
  });

  describe('putOnce', () => {
    it('keeps what is there, and lets go of its source', async () => {
      expect(await images.putOnce('once', Buffer.from('first'), png)).toBe('written');
      expect(await images.putOnce('once', Buffer.from('second'), png)).toBe('existed');
      // More than a client has connections: one left hanging by each would stop the rest.
      for (let n = 0; n < 150; n++) {
        const body = new Readable({ read() {} });
        body.push(Buffer.alloc(1000));
        expect(await images.putOnce('once', body, { ...png, sizeBytes: MB })).toBe('existed');
        expect(body.destroyed).toBe(true);
      }
      expect(await text('once')).toBe('first');
    });

    it('writes once among many at the same time, of streams too', async () => {
      const race = await Promise.all(
        Array.from({ length: 20 }, (_n, n) => {
          const bytes = Buffer.from(`${n}`.padStart(2));
          return images.putOnce('race', n % 2 === 0 ? bytes : Readable.from([bytes]), {
            ...png,
            sizeBytes: 2,
          });
        }),
      );
      const winners = race.flatMap((outcome, n) => (outcome === 'written' ? [n] : []));
      expect(winners).toEqual([Number(await text('race'))]);
    });
  });

  describe('get', () => {
    it('knows no such key', async () => {
      expect(await images.get('nothing')).toBeUndefined();
      expect(await images.head('nothing')).toBeUndefined();
      expect(await images.get('nothing/below')).toBeUndefined();
    });

    it.each(['0123456789', Buffer.alloc(600_000, '0123456789').toString()])(
      'answers ranges',
      async (content) => {
        const size = content.length;
        await put('range', content);
        for (const [range, from, to] of [
          ['bytes=2-4', 2, 5],
          ['bytes=7-', 7, size],
          ['bytes=-3', size - 3, size],
          [`bytes=8-${size + 50}`, 8, size],
          [`bytes=-${size + 50}`, 0, size],
          ['bytes=0-0', 0, 1],
        ] as const) {
          const part = await images.get('range', { range });
          expect(part).toMatchObject({
            partial: true,
            contentLength: to - from,
            contentRange: `bytes ${from}-${to - 1}/${size}`,
          });
          expect((await whole(part)).toString() === content.slice(from, to)).toBe(true);
        }
        for (const range of [
          'bytes=x-',
          'bytes=1-2,4-5',
          'lines=1-2',
          'bytes=-',
          'bytes=1-2\r\nx: y',
          'bytes=5-2',
          '',
        ])
          // prettier-ignore
          expect([range, (await text('range', range)) === content]).toEqual([range, true]);
        for (const range of [`bytes=${size}-`, 'bytes=-0', `bytes=${size}-${size + 5}`]) {
          const behind = images.get('range', { range });
          await expect(behind).rejects.toBeInstanceOf(RangeNotSatisfiable);
          await expect(behind).rejects.toMatchObject({ name: 'RangeNotSatisfiable', sizeBytes: size });
        }
      },
    );

    it('answers conditions', async () => {
      const { etag } = await put('condition', '0123456789');
      expect(await images.get('condition', { ifNoneMatch: etag })).toBe('not-modified');
      expect(await images.get('condition', { ifNoneMatch: `W/${etag}` })).toBe('not-modified');
      expect(await images.get('condition', { ifNoneMatch: `"a", ${etag}` })).toBe('not-modified');
      expect((await whole(await images.get('condition', { ifNoneMatch: '"other"' }))).length).toBe(10);
      expect(await images.get('condition', { ifNoneMatch: etag, range: 'bytes=99-' })).toBe('not-modified');
    });

    it('lets go when the reader does', async () => {
      await put('large', Buffer.alloc(8 * MB));
      for (let n = 0; n < 150; n++) {
        const found = await images.get('large');
        if (typeof found !== 'object') throw new Error('no image');
        await letGo(found);
      }
      expect(await images.head('large')).toMatchObject({ sizeBytes: 8 * MB });
    });

    it.each(['replaced', 'deleted'])('gives all of one image though it is %s meanwhile', async (how) => {
      const content = Buffer.alloc(8 * MB, 'before');
      await put(how, content);
      const found = await images.get(how);
      if (typeof found !== 'object') throw new Error('no image');
      const pieces: Uint8Array[] = [];
      for await (const piece of found.body as ReadableStream<Uint8Array>) {
        if (pieces.length === 0)
          if (how === 'replaced') await put(how, Buffer.alloc(9 * MB, 'after'));
          else await images.delete([how]);
        pieces.push(piece);
      }
      expect(Buffer.concat(pieces).equals(content)).toBe(true);
    });
  });

  describe('a key', () => {
    // prettier-ignore
    const odd = [
      '../outside', '../../../../tmp/outside', 'a/../../b', '..', '.', '%2e%2e%2f', '%00', 'nul\0byte', 'a', 'a/b', 'a/b/', 'a//b',
      'A', 'A/B', '\u00c4', 'A\u0308', 'ﬀ', '😀', ' blank ', '+ +', "q'u\"o&t<e>", 'back\\slash', 'new\nline\r', '?x=1#y', '-rf', 'con', 'x'.repeat(1024),
      `${'long/'.repeat(200)}end`, 'é'.repeat(512), 'a.', 'a.=', 'a~', 'a,b', '=a', '%', 'con.png', 'COM1', 'a/b.c', 'a/b-c', 'c:', 'a ', '.incoming/x', '0'.repeat(32), `${'0'.repeat(32)}/a`, `${'0'.repeat(32)},a`, '000', '000~', '000/a',
      `${'x'.repeat(1000)}y`, `${'x'.repeat(60)}~/y`, `${'x'.repeat(999)}/y`,
    ];

    it('is nothing but a key, whatever it contains', async () => {
      const { images: apart, close } = await open();
      try {
        for (const key of odd) await apart.put(key, Buffer.from(key), png);
        for (const key of odd)
          expect([key, (await whole(await apart.get(key))).toString()]).toEqual([key, key]);
        const inOrder = odd.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect((await all(apart.list(''))).map(({ key }) => key)).toEqual(inOrder);
        const pages: string[] = [];
        for (let more = true; more;) {
          const page = await apart.page('', 7, pages.at(-1));
          pages.push(...page.items.map(({ key }) => key));
          more = page.more;
        }
        expect(pages).toEqual(inOrder);
        await apart.delete(odd);
        expect(await all(apart.list(''))).toEqual([]);
      } finally {
        await close();
      }
    });

    it('of more than 1024 bytes is refused', async () => {
      await expect(put('é'.repeat(513), 'x')).rejects.toThrow(/key/);
    });
  });

  describe('a listing', () => {
    it('goes past a page, and a deletion past a batch', async () => {
      const names = Array.from({ length: 1203 }, (_n, n) => `many/${n}`);
      // Not all at once: the SDK counts the wait for a free connection as one for the connection, ten seconds at most.
      for (const left = [...names, 'manyfold']; left.length > 0;)
        await Promise.all(left.splice(0, 100).map((key) => put(key, key)));
      const found = await all(images.list('many/'));
      expect(found.map(({ key }) => key)).toEqual(names.toSorted());
      expect(found[0]).toMatchObject({ key: 'many/0', sizeBytes: 6, lastModified: expect.any(Date) });
      await images.delete([...names, 'never']);
      expect(await listed('many')).toEqual(['manyfold']);
      await images.delete([]);
    });

    it('is a page at a time, also while it changes', async () => {
      const names = Array.from({ length: 25 }, (_n, n) => `page/${String(n).padStart(2, '0')}`);
      for (const name of [...names, 'page', 'page0', 'pag/e']) await put(name, name);
      const page = async (limit: number, after?: string) => {
        const { items, more } = await images.page('page/', limit, after);
        return { keys: items.map(({ key }) => key), more };
      };
      expect(await page(10)).toEqual({ keys: names.slice(0, 10), more: true });
      await images.delete(['page/09', 'page/09']);
      await put('page/095', 'new');
      expect(await page(10, 'page/09')).toEqual({ keys: ['page/095', ...names.slice(10, 19)], more: true });
      expect(await page(1000, 'page/18')).toEqual({ keys: names.slice(19), more: false });
      expect(await page(6, 'page/18')).toEqual({ keys: names.slice(19), more: false });
      expect(await page(10, 'page/99')).toEqual({ keys: [], more: false });
      expect(await listed('nothing')).toEqual([]);
    });

    it('is of one job, of one owner, or of all', async () => {
      const jobs = ['0123abcd-0123-8123-8123-0123456789ab', '0123abcd-0123-8123-8123-0123456789ac'];
      const upload = (owner: string, digit: string) => keys.upload(owner, `${digit.repeat(64)}.png`);
      const stored = [
        ...jobs.flatMap((job) =>
          [1, 2, 11].map((attempt) => keys.image(job, attempt, `Flux_${attempt}.png`)),
        ),
        ...['ann', 'bob'].flatMap((owner) => ['f', '0', 'a'].map((digit) => upload(owner, digit))),
        keys.graph(jobs[0]!),
        keys.inventory('e'.repeat(64)),
      ];
      for (const key of stored) await put(key, key);
      const below = (prefix: string) => stored.filter((key) => key.startsWith(prefix)).toSorted();
      for (const prefix of [
        keys.imagesOfJob(jobs[0]!),
        keys.upload('ann', ''),
        'images/',
        'images/0123',
        'images/0',
        'image',
        'uploads/',
        'graphs/',
        'inventories/',
        `${keys.imagesOfJob(jobs[1]!)}1`,
        keys.imagesOfJob('f'.repeat(32)),
        upload('bob', 'a').slice(0, -4),
        upload('bob', 'a').slice(0, 30),
      ])
        // prettier-ignore
        expect([prefix, await listed(prefix)]).toEqual([prefix, below(prefix)]);
      expect((await images.page('uploads/', 2, upload('ann', 'a'))).items.map(({ key }) => key)).toEqual(
        below('uploads/')
          .filter((key) => key > upload('ann', 'a'))
          .slice(0, 2),
      );
      await images.delete(stored);
      expect(await listed('images/')).toEqual([]);
    });
  });
});
