// Files that are uploaded over ComfyUI's wire: named as ComfyUI names them, each owner's own, read by its graphs and by /view.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../../functions/api/http/access.ts';
import type { ApiApp } from '../../../functions/api/deps.ts';
import { jobIdOfImage } from '../../../functions/core/names.ts';
import type { Graph } from '../../../functions/core/object-info.ts';
import { appsWith } from '../../support/app.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, eventually, type Json } from '../support.ts';
import { picture } from '../v2/support.ts';
import { createKey } from './keys.ts';

let rig: Rig;
/** It asks for keys. */
let wire: ApiApp;
let as: Record<'ada' | 'bob', Record<string, string>>;
beforeAll(async () => {
  rig = await startRig();
  const { store, images, templates, log, timings, nudge } = rig;
  const admit = askForKeys({ keys: store.keys, now: store.now });
  wire = appsWith({
    ...store,
    images,
    workflows: { templates, refused: [] },
    log,
    timings,
    nudge,
    admit,
  }).wire;
  const [ada, bob] = await Promise.all([createKey(rig, 'ada'), createKey(rig, 'bob')]);
  as = { ada: { 'x-api-key': ada }, bob: { 'x-api-key': bob } };
});
afterAll(() => rig.close());

type Fields = Record<string, string>;

function form(bytes: Buffer, name: string, fields: Fields = {}): FormData {
  const body = new FormData();
  body.append('image', new Blob([new Uint8Array(bytes)], { type: 'image/png' }), name);
  for (const [field, value] of Object.entries(fields)) body.append(field, value);
  return body;
}

const upload = (bytes: Buffer, name: string, fields: Fields = {}, headers = as.ada) =>
  call(wire, 'POST /upload/image', { body: form(bytes, name, fields), headers });

async function view(query: Fields, headers: Record<string, string> = as.ada) {
  const answer = await wire.request(`/view?${new URLSearchParams(query).toString()}`, { headers });
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    bytes: Buffer.from(await answer.arrayBuffer()),
  };
}

const loading = (image: string): Graph => ({
  '1': { class_type: 'LoadImage', inputs: { image } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Loaded' } },
});

async function run(graph: Graph, headers = as.ada) {
  const id = randomUUID();
  const sent = await call(wire, 'POST /prompt', { json: { prompt: graph, prompt_id: id }, headers });
  return { ...sent, id };
}

interface Entry {
  prompt: [number, string, Graph, Json, string[]];
  outputs: Record<string, Record<string, { filename: string }[]>>;
  status: { status_str: string };
}

const entryOf = (id: string) =>
  eventually(`the history of ${id}`, async () => {
    const { json } = await call(wire, `GET /history/${id}`, { headers: as.ada });
    return json[id] as Entry | undefined;
  });

/** Runs it to its end. @returns the name of the first image */
async function made(graph: Graph): Promise<string> {
  const { status, id } = await run(graph);
  expect(status).toBe(200);
  const entry = await entryOf(id);
  expect(entry.status.status_str).toBe('success');
  expect(entry.prompt[2]).toEqual(graph);
  return entry.outputs['2']!['images']![0]!.filename;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function isKept(bytes: Buffer): Promise<boolean> {
  for await (const { key } of rig.images.list('uploads/')) if (key.includes(sha256(bytes))) return true;
  return false;
}

describe('an upload', () => {
  test('is answered as ComfyUI answers it, and its bytes come back', async () => {
    const [bytes, other] = [picture(), picture()];
    const photo = { name: 'photo.png', subfolder: '', type: 'input' };
    expect(await upload(bytes, 'photo.png')).toMatchObject({ status: 200, json: photo });
    // A client whose answer was lost sends it again.
    expect((await upload(bytes, 'photo.png')).json).toEqual(photo);
    expect((await upload(other, 'photo.png')).json).toEqual({ ...photo, name: 'photo (1).png' });
    const nested = { subfolder: 'a/b', overwrite: 'true', type: 'input' };
    expect((await upload(other, 'photo.png', nested)).json).toEqual({ ...photo, subfolder: 'a/b' });
    const asked = { filename: 'photo.png', type: 'input' };
    expect(await view(asked)).toEqual({ status: 200, type: 'image/png', bytes });
    expect((await view({ filename: 'photo (1).png', type: 'input' })).bytes).toEqual(other);
    expect((await view({ ...asked, subfolder: 'a/b' })).bytes).toEqual(other);
    expect((await view({ filename: 'a/b/photo.png [input]' })).bytes).toEqual(other);
    const part = await view(asked, { ...as.ada, range: 'bytes=0-7' });
    expect(part).toMatchObject({ status: 206, bytes: bytes.subarray(0, 8) });
    expect((await view({ ...asked, type: 'temp' })).status).toBe(404);
  });

  test('is replaced only where its client says so', async () => {
    const [before, after] = [picture(), picture()];
    await upload(before, 'replaced.png');
    expect((await upload(after, 'replaced.png', { overwrite: '1' })).json['name']).toBe('replaced.png');
    expect((await view({ filename: 'replaced.png', type: 'input' })).bytes).toEqual(after);
    // What no name is left for does not stay.
    expect(await isKept(after)).toBe(true);
    expect(await isKept(before)).toBe(false);
  });

  test('may be any file; a page among them is never shown', async () => {
    const page = Buffer.from('<html><script>alert(1)</script></html>');
    await upload(page, 'page.html');
    const answer = await wire.request('/view?filename=page.html&type=input', { headers: as.ada });
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(answer.headers.get('content-type')).not.toContain('html');
    expect((await upload(randomBytes(100), 'sound.flac', { type: 'temp' })).json).toEqual({
      name: 'sound.flac',
      subfolder: '',
      type: 'temp',
    });
    expect((await view({ filename: 'sound.flac', type: 'temp' })).status).toBe(200);
  });

  test('two at the same moment are two names', async () => {
    const all = Array.from({ length: 4 }, () => picture());
    const answers = await Promise.all(all.map((bytes) => upload(bytes, 'same.png')));
    const names = answers.map(({ json }) => String(json['name']));
    expect(names.toSorted()).toEqual(['same (1).png', 'same (2).png', 'same (3).png', 'same.png']);
    for (const [index, filename] of names.entries())
      expect((await view({ filename, type: 'input' })).bytes).toEqual(all[index]);
  });

  test.each([
    ['../x.png', {}],
    ['/etc/x.png', {}],
    ['x.png', { subfolder: '../..' }],
    ['x.png', { subfolder: '/etc' }],
    ['x.png', { subfolder: 'a/../../b' }],
    ['x.png [output]', {}],
    [`${'x'.repeat(600)}.png`, {}],
    ['x.png', { type: 'output' }],
  ] as [string, Fields][])('named %s with %o is refused', async (name, fields) => {
    const { status, json } = await upload(picture(), name, fields);
    expect({ status, json }).toMatchObject({ status: 400, json: { error: { type: 'invalid_upload' } } });
  });

  test('without a file, as no form, too large, or without the scope it is refused', async () => {
    const post = (body: RequestInit['body'], headers: Record<string, string>) =>
      call(wire, 'POST /api/upload/image', { body, headers });
    const empty = new FormData();
    empty.append('overwrite', 'true');
    expect((await post(empty, as.ada)).status).toBe(400);
    expect((await post('{}', { ...as.ada, 'content-type': 'application/json' })).status).toBe(415);
    expect((await post(form(Buffer.alloc(101 * 2 ** 20), 'x.bin'), as.ada)).status).toBe(413);
    const reader = { 'x-api-key': await createKey(rig, 'ada', ['read']) };
    expect((await post(form(picture(), 'x.png'), reader)).status).toBe(403);
  });
});

describe('a mask', () => {
  const square = (side: number, rgba: number[]): Buffer => {
    const png = new PNG({ width: side, height: side });
    for (let at = 0; at < png.data.length; at += 4) png.data.set(rgba, at);
    return PNG.sync.write(png);
  };
  /** With a text behind its header. */
  const withText = (png: Buffer, text: string): Buffer => {
    const chunk = Buffer.alloc(12 + text.length);
    chunk.writeUInt32BE(text.length, 0);
    chunk.write(`tEXt${text}`, 4, 'latin1');
    chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + text.length)), 8 + text.length);
    return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
  };
  const send = (bytes: Buffer, original: unknown, headers = as.ada) =>
    call(wire, 'POST /api/upload/mask', {
      body: form(bytes, 'masked.png', { subfolder: 'clipspace', original_ref: JSON.stringify(original) }),
      headers,
    });
  beforeAll(() => upload(withText(square(8, [1, 2, 3, 255]), 'workflow\0the-canvas'), 'to-mask.png'));
  const ref = { filename: 'to-mask.png', subfolder: '', type: 'input' };

  test('is the alpha of the image that it is drawn on, which keeps its texts', async () => {
    expect(await send(square(8, [9, 9, 9, 77]), ref)).toMatchObject({
      status: 200,
      json: { name: 'masked.png', subfolder: 'clipspace', type: 'input' },
    });
    const { bytes } = await view({ filename: 'masked.png', subfolder: 'clipspace', type: 'input' });
    expect([...PNG.sync.read(bytes).data.subarray(0, 4)]).toEqual([1, 2, 3, 77]);
    expect(bytes.includes('the-canvas')).toBe(true);
  });

  test.each([
    ['no original', undefined, square(8, [0, 0, 0, 0])],
    ['an original that is not there', { filename: 'absent.png', type: 'input' }, square(8, [0, 0, 0, 0])],
    ['one outside', { filename: '../to-mask.png', type: 'input' }, square(8, [0, 0, 0, 0])],
    ['another size', ref, square(9, [0, 0, 0, 0])],
    ['no PNG', ref, Buffer.from('no image')],
  ])('%s is refused', async (_, original, bytes) => {
    expect(await send(bytes, original)).toMatchObject({
      status: 400,
      json: { error: { type: 'invalid_upload' } },
    });
  });

  test('on another owner’s image is refused', async () => {
    expect((await send(square(8, [0, 0, 0, 0]), ref, as.bob)).status).toBe(400);
  });
});

test('a graph that names an upload is accepted before any host was seen', async () => {
  await upload(picture(), 'early.png');
  expect((await run(loading('early.png'))).status).toBe(200);
});

describe('with a host', () => {
  beforeAll(async () => {
    await rig.addHost();
    await eventually('its nodes', async () => {
      const { json } = await call(wire, 'POST /prompt', {
        json: { prompt: { '1': { class_type: 'EmptyImage' } } },
        headers: as.ada,
      });
      return (json['error'] as Json)['type'] === 'prompt_no_outputs';
    });
  });

  test.each(['photo.png', 'photo.png [input]', 'a/b/photo.png', 'a//b/./photo.png'])(
    'a graph loads %s',
    async (name) => {
      await upload(picture(), 'photo.png');
      await upload(picture(), 'photo.png', { subfolder: 'a/b' });
      await made(loading(name));
    },
  );

  test('a graph loads what another made', async () => {
    await upload(picture(), 'first.png');
    const first = await made(loading('first.png'));
    await made(loading(`${first} [output]`));
  });

  test('the host stages the bytes that the name means now', async () => {
    for (const bytes of [picture(), picture()]) {
      await upload(bytes, 'once.png', { overwrite: 'true' });
      const filename = await made(loading('once.png'));
      const { staging } = (await rig.store.jobs.readRequest(jobIdOfImage(filename)!))!;
      expect(staging).toMatchObject([{ key: expect.stringContaining(sha256(bytes)), to: ['1.image'] }]);
    }
  });

  test.each([
    'absent.png',
    'absent.png [temp]',
    'absent/photo.png',
    `ComfyUI_${'0'.repeat(32)}_00001_.png [output]`,
  ])('%s is refused as ComfyUI refuses it', async (name) => {
    const { status, json } = await run(loading(name));
    expect(status).toBe(400);
    expect(json).toMatchObject({
      error: { type: 'prompt_outputs_failed_validation' },
      node_errors: {
        '1': {
          errors: [{ type: 'custom_validation_failed', details: `image - Invalid image file: ${name}` }],
          dependent_outputs: ['2'],
        },
      },
    });
  });

  test('another owner’s files are not there', async () => {
    await upload(picture(), 'hers.png');
    const { name } = (await upload(picture(), 'hers.png', {}, as.bob)).json;
    expect(name).toBe('hers.png');
    await upload(picture(), 'only-hers.png');
    expect((await run(loading('only-hers.png'), as.bob)).status).toBe(400);
    expect((await view({ filename: 'only-hers.png', type: 'input' }, as.bob)).status).toBe(404);
    const made1 = await made(loading('only-hers.png'));
    expect((await run(loading(`${made1} [output]`), as.bob)).status).toBe(400);
  });
});

test('a job that waits reads what it was sent with, whatever its name means by then', async () => {
  const quiet = await startRig();
  try {
    const before = picture();
    const to = (bytes: Buffer, fields: Fields) =>
      call(quiet.wire, 'POST /upload/image', { body: form(bytes, 'photo.png', fields) });
    await to(before, {});
    const id = randomUUID();
    await call(quiet.wire, 'POST /prompt', { json: { prompt: loading('photo.png'), prompt_id: id } });
    await to(picture(), { overwrite: 'true' });
    await quiet.addHost();
    const entry = await eventually('the end', async () => {
      const { json } = await call(quiet.wire, `GET /history/${id}`);
      return json[id] as Entry | undefined;
    });
    expect(entry.status.status_str).toBe('success');
  } finally {
    await quiet.close();
  }
});
