// Links to images on the port of the API: what a browser, a player and curl ask of them. Who may read: test/api/readers.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReaders } from '../../functions/api/http/readers.ts';
import { openFolderImages } from '../../functions/images/folder/images.ts';
import { createLinks } from '../../functions/images/folder/links.ts';
import type { Images } from '../../functions/images/images.ts';
import { linksBefore } from '../../functions/local/links.ts';
import { listen, type Listening } from '../../functions/runtime/listen.ts';
import { silent } from '../images/engines.ts';

const run = promisify(execFile);
const KEY = 'images/0f/1/Flux2 Turbo ü+(1)_00001_.png';
const content = Buffer.alloc(300_000, 'pixels');
const links = createLinks({ secret: 'secret' });
let directory: string;
let images: Images;
let server: Listening;
let endpoint: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'links-'));
  images = await openFolderImages({ directory, log: silent });
  await images.put(KEY, content, { contentType: 'image/png' });
  const deps = { links, images, readers: createReaders(8), log: silent };
  server = await listen(
    linksBefore((_, res) => res.writeHead(404).end('the api'), deps),
    '127.0.0.1',
    0,
  );
  endpoint = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const link = (more: { key?: string; filename?: string; contentType?: string } = {}) =>
  links.link({ endpoint, key: KEY, ...more });
const open = async (headers: Record<string, string> = {}, method = 'GET') =>
  fetch(await link({ filename: 'Flux2.png' }), { headers, method });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe('a link', () => {
  it('gives the image with all that a browser needs, to any page', async () => {
    const answer = await open();
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(content.length),
      'content-disposition': 'inline; filename="Flux2.png"',
      etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`,
      'last-modified': expect.stringContaining('GMT') as string,
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    expect((await bytesOf(answer)).equals(content)).toBe(true);
    expect((await fetch(await link({ contentType: 'image/x-png' }))).headers.get('content-type')).toBe(
      'image/x-png',
    );
  });

  it('gives a head, a range, and nothing to who has it', async () => {
    const head = await open({}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(content.length)]);
    const etag = head.headers.get('etag')!;
    const part = await open({ range: 'bytes=10-19' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${content.length}`]);
    expect((await bytesOf(part)).equals(content.subarray(10, 20))).toBe(true);
    expect((await open({ range: 'bytes=10-19', 'if-range': etag })).status).toBe(206);
    const other = await open({ range: 'bytes=10-19', 'if-range': '"other"' });
    expect([other.status, (await bytesOf(other)).length]).toEqual([200, content.length]);
    expect((await open({ 'if-none-match': etag })).status).toBe(304);
    const behind = await open({ range: 'bytes=300000-' });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, 'bytes */300000']);
    expect(await behind.json()).toMatchObject({ code: 'range_not_satisfiable' });
  });

  it('to an image that was deleted is 404, and one that was changed is 403, as JSON', async () => {
    const gone = await fetch(await link({ key: 'images/gone.png' }));
    expect(gone.status).toBe(404);
    expect(await gone.json()).toEqual({ error: 'Image not found', code: 'image_not_found' });
    const forged = await fetch((await link()).replace('signature=', 'signature=A'));
    expect([forged.status, forged.headers.get('content-type')]).toEqual([403, 'application/json']);
    expect(await forged.json()).toEqual({
      error:
        'The link was changed on its way, or is of another workspace; the status of the job has a new one',
      code: 'forbidden',
    });
  });

  it('opens with plain curl, by any name of this machine', async () => {
    for (const at of [endpoint, endpoint.replace('127.0.0.1', 'localhost')]) {
      const url = await links.link({ endpoint: at, key: KEY });
      const size = ['-w', '%{http_code} %{size_download}', '-o', '/dev/null'];
      expect((await run('curl', ['-4', '-sS', ...size, url])).stdout).toBe('200 300000');
    }
  });
});

it('what is no read of a link is for the API', async () => {
  const url = await link();
  for (const [method, path] of [
    ['DELETE', url],
    ['POST', url],
    ['GET', `${endpoint}/api/status`],
  ] as const)
    expect(await (await fetch(path, { method })).text()).toBe('the api');
});
