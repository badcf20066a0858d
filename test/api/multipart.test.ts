// Forms as clients write them. Source: docs/reports.md; the byte forms are those of each client's own writer.

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';

const run = promisify(execFile);
const png = PNG.sync.write(new PNG({ width: 31, height: 17 }));
let rig: Rig;
let folder: string;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  folder = await mkdtemp(join(tmpdir(), 'forms-'));
  await writeFile(join(folder, 'x.png'), png);
});
afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

async function post(body: Buffer, boundary = 'b0undary', type = `multipart/form-data; boundary=${boundary}`) {
  const response = await fetch(`${rig.url}/api/upload/image`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

const part = (head: string, bytes: Buffer = png) =>
  Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes, Buffer.from('\r\n')]);
const form = (parts: Buffer[], { preamble = '', epilogue = '' } = {}) =>
  Buffer.concat([
    Buffer.from(preamble),
    ...parts.flatMap((one) => [Buffer.from('--b0undary\r\n'), one]),
    Buffer.from(`--b0undary--\r\n${epilogue}`),
  ]);

describe('a form is taken as its client writes it', () => {
  test.each([
    [
      '.NET HttpClient',
      form([
        part(
          "Content-Type: image/png\r\nContent-Disposition: form-data; name=image; filename=x.png; filename*=utf-8''x.png",
        ),
      ]),
      'multipart/form-data; boundary="b0undary"',
    ],
    [
      'Go mime/multipart',
      form([
        part(
          'Content-Disposition: form-data; name="image"; filename="x.png"\r\nContent-Type: application/octet-stream',
        ),
      ]),
      undefined,
    ],
    [
      'Java, Apache HttpClient',
      form([
        part(
          'Content-Disposition: form-data; name="image"; filename="x.png"\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary',
        ),
      ]),
      'multipart/form-data; boundary=b0undary; charset=ISO-8859-1',
    ],
    [
      'OkHttp',
      form([
        part(
          `Content-Disposition: form-data; name="image"; filename="x.png"\r\nContent-Type: image/png\r\nContent-Length: ${png.length}`,
        ),
      ]),
      undefined,
    ],
    [
      'no blank behind a semicolon',
      form([part('Content-Disposition: form-data;name="image";filename="x.png"\r\nContent-Type: image/png')]),
      'multipart/form-data;boundary=b0undary',
    ],
    [
      'header names in small letters',
      form([
        part('content-disposition: form-data; name="image"; filename="x.png"\r\ncontent-type: image/png'),
      ]),
      undefined,
    ],
    [
      'words before and behind',
      form([part('Content-Disposition: form-data; name="image"; filename="x.png"')], {
        preamble: 'This is a multipart message.\r\n',
        epilogue: 'That was it.\r\n',
      }),
      undefined,
    ],
    [
      'fields that ComfyUI takes beside it',
      form([
        part('Content-Disposition: form-data; name="overwrite"', Buffer.from('true')),
        part('Content-Disposition: form-data; name="image"; filename="x.png"\r\nContent-Type: image/png'),
        part('Content-Disposition: form-data; name="type"', Buffer.from('input')),
      ]),
      undefined,
    ],
  ])('%s', async (_, body, type) => {
    expect(await post(body, 'b0undary', type)).toMatchObject({ status: 200, answer: { type: 'input' } });
  });

  test('curl', async () => {
    const { stdout } = await run('curl', [
      '-sS',
      '-F',
      `image=@${join(folder, 'x.png')}`,
      `${rig.url}/api/upload/image`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'input' });
  });
});

describe('what is no form with an image', () => {
  test('45,000 empty parts cost next to nothing, and are refused', async () => {
    const many = form(
      Array.from({ length: 45_000 }, () => part('Content-Disposition: form-data; name="a"', Buffer.alloc(0))),
    );
    // Processor time: that of the clock grows with what else the machine does.
    const before = process.cpuUsage();
    const answered = await post(many);
    const { user } = process.cpuUsage(before);
    expect(answered).toMatchObject({
      status: 400,
      answer: { error: expect.stringContaining('too many parts') },
    });
    // Of both sides, in this one process: it was seconds.
    expect(user / 1000).toBeLessThan(500);
  });

  test.each([
    ['no boundary', form([]), 'multipart/form-data', 400],
    [
      'another field',
      form([part('Content-Disposition: form-data; name="file"; filename="x.png"')]),
      undefined,
      400,
    ],
    [
      'cut in the middle',
      form([part('Content-Disposition: form-data; name="image"; filename="x.png"')]).subarray(0, 100),
      undefined,
      400,
    ],
    ['nothing', Buffer.alloc(0), undefined, 400],
    [
      'too large a file',
      form([
        part(
          'Content-Disposition: form-data; name="image"; filename="x.png"',
          Buffer.alloc(4 * 1024 * 1024 + 1),
        ),
      ]),
      undefined,
      413,
    ],
  ])('%s', async (_, body, type, status) => {
    const answered = await post(body, 'b0undary', type);
    expect(answered.status).toBe(status);
    expect(answered.answer).toMatchObject({ error: expect.any(String), code: expect.any(String) });
  });
});

test.skipIf(spawnSync('python3', ['--version']).status !== 0)(
  'a client that writes its whole body before it reads gets the reason (Python’s urllib)',
  async () => {
    const script = `
import urllib.request, urllib.error, sys
request = urllib.request.Request(sys.argv[1], data=b'x' * 30_000_000, headers={'content-type': 'application/json'})
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    print(error.code)
`;
    const { stdout } = await run('python3', ['-c', script, `${rig.url}/api/generate`]);
    expect(stdout.trim()).toBe('413');
  },
);

test.each(['', 'a'.repeat(3000), 'a b', '#'])(
  'an owner that is no name (%#) is refused, wherever it is asked for',
  async (owner) => {
    for (const path of ['usage', 'history', 'outputs', 'webhooks']) {
      const response = await rig.app.request(`/api/${path}?${new URLSearchParams({ owner }).toString()}`);
      expect([path, response.status]).toEqual([path, 400]);
    }
  },
);
