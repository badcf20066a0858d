// Inputs of a template for sounds, films and other files: uploaded, made here or at an address; what they hold counts, not their name.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys, uploadName } from '../../functions/core/names.ts';
import { createFetch } from '../../functions/outbound/fetch.ts';
import { glb } from '../../simulated-comfyui/glb.ts';
import { webm } from '../../simulated-comfyui/matroska.ts';
import { flac, mp3 } from '../../simulated-comfyui/sound.ts';
import { listen } from '../images/support.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';
import { anotherProcess, call } from './support.ts';
import { picture } from './v2/support.ts';

const SOUND = flac(440, 'file inputs');
const FILM = webm('file inputs');
const MODEL = glb('file inputs');

const TEMPLATES = {
  sound: [
    {
      1: { class_type: 'LoadAudio', inputs: { audio: 'x.mp3' } },
      2: { class_type: 'SaveAudio', inputs: { audio: ['1', 0], filename_prefix: 'Sound' } },
    },
    { audio: { type: 'audio', required: true, to: '1.audio' } },
  ],
  film: [
    {
      1: { class_type: 'LoadVideo', inputs: { file: 'x.mp4' } },
      2: {
        class_type: 'SaveVideo',
        inputs: { video: ['1', 0], filename_prefix: 'Film', format: 'mp4', 'format.codec': 'auto' },
      },
    },
    { video: { type: 'video', required: true, to: '1.file' } },
  ],
  picture: [
    {
      1: { class_type: 'LoadImage', inputs: { image: 'x.png' } },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Picture' } },
    },
    { image: { type: 'image', required: true, to: '1.image' } },
  ],
  // Whatever it is: only that it comes to where the node reads it is looked at.
  any: [
    {
      1: { class_type: 'LoadAudio', inputs: { audio: '' } },
      2: { class_type: 'SaveAudio', inputs: { audio: ['1', 0], filename_prefix: 'Any' } },
      3: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
      4: { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'Any' } },
    },
    { file: { type: 'file', required: true, to: '1.audio' } },
  ],
} as const;

let rig: Rig;
let host: TestHost;
let folder: string;
let outside: { server: Server; url: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-inputs-'));
  for (const [name, [graph, inputs]] of Object.entries(TEMPLATES)) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(graph));
    await writeFile(join(folder, `${name}.inputs.json`), JSON.stringify({ title: name, inputs }));
  }
  rig = await startRig({ workflows: folder });
  host = await rig.addHost();
  outside = await listen((req, res) => void res.writeHead(200).end(req.url === '/film' ? FILM : SOUND));
});
afterAll(async () => {
  outside.server.close().closeAllConnections();
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

/** By a link, as whatever has no form of its own. */
async function upload(bytes: Uint8Array, filename: string): Promise<string> {
  const json = {
    filename,
    size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  const answer = await fetch(`${rig.url}/api/upload/link`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
  const { name, upload: link } = (await answer.json()) as {
    name: string;
    upload: { url: string; headers: Record<string, string> } | null;
  };
  if (link)
    expect(
      (await fetch(link.url, { method: 'PUT', headers: link.headers, body: Buffer.from(bytes) })).status,
    ).toBe(200);
  return name;
}
interface Job extends Record<string, unknown> {
  job_id: string;
  outputs: { filename: string }[];
}
const generate = (body: Record<string, unknown>, app = rig.app) =>
  call<{ job_id: string; code: string; error: string }>(app, 'POST /api/generate', { json: body });
const done = async (body: Record<string, unknown>, app = rig.app) => {
  const { status, json } = await generate(body, app);
  expect([status, json.error]).toEqual([202, undefined]);
  return rig.until(json.job_id, ['completed', 'failed']) as Promise<Job>;
};

describe('a file that was uploaded', () => {
  test('is read by a job of its kind', async () => {
    const sound = await done({ workflow: 'sound', audio: await upload(SOUND, 'Song.FLAC') });
    expect(sound).toMatchObject({
      status: 'completed',
      outputs: [{ kind: 'audio', content_type: 'audio/flac' }],
    });
    const film = await done({ workflow: 'film', video: await upload(FILM, 'film.webm') });
    expect(film).toMatchObject({ status: 'completed', outputs: [{ kind: 'video' }] });
  });

  test('lies in ComfyUI as it was sent, under a name of its content', async () => {
    const name = await upload(mp3('staged'), 'a.mp3');
    await done({ workflow: 'sound', audio: name });
    const input = join(host.comfyui.outputDirectory, '../input');
    expect(await readFile(join(input, `staged-${name}`))).toEqual(mp3('staged'));
  });

  test('a film has the sound that an input for sounds takes', async () => {
    expect(await done({ workflow: 'sound', audio: await upload(FILM, 'film.webm') })).toMatchObject({
      status: 'completed',
    });
  });

  test('of another kind is refused at once, whatever it is called', async () => {
    const wrong: [workflow: string, input: string, bytes: Uint8Array, filename: string][] = [
      ['sound', 'audio', picture(), 'song.mp3'],
      ['sound', 'audio', MODEL, 'song.flac'],
      ['film', 'video', SOUND, 'film.mp4'],
      ['film', 'video', picture(), 'film.webm'],
      ['picture', 'image', SOUND, 'photo.png'],
      ['picture', 'image', FILM, 'photo.png'],
    ];
    for (const [workflow, input, bytes, filename] of wrong)
      expect(await generate({ workflow, [input]: await upload(bytes, filename) })).toMatchObject({
        status: 400,
        json: { code: 'invalid_field', details: { field: input } },
      });
  });

  test('an input for any file takes each, and ComfyUI says what it cannot read', async () => {
    expect(await done({ workflow: 'any', file: await upload(MODEL, 'model.glb') })).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('Invalid data') as string,
    });
    expect(await done({ workflow: 'any', file: await upload(SOUND, 'song.flac') })).toMatchObject({
      status: 'completed',
    });
  });

  test('there is none of, or it is not given', async () => {
    const none = uploadName('0'.repeat(64), 'flac');
    expect(await generate({ workflow: 'sound', audio: none })).toMatchObject({
      status: 400,
      json: { code: 'invalid_field', error: expect.stringContaining('/api/upload/link') as string },
    });
    expect((await generate({ workflow: 'sound' })).json.code).toBe('missing_field');
    expect((await generate({ workflow: 'sound', audio: ['a'] })).json.code).toBe('invalid_field');
  });
});

describe('what was made here', () => {
  test('is an input too, of its kind', async () => {
    const film = await done({ workflow: 'film', video: await upload(FILM, 'film.webm') });
    const made = film.outputs[0]!.filename;
    const key = keys.image(film.job_id, 1, made);
    const again = await generate({ workflow: 'film', video: made });
    expect((await rig.store.jobs.readRequest(again.json.job_id))!.staging).toMatchObject([
      { key, to: ['1.file'] },
    ]);
    expect(await rig.until(again.json.job_id, ['completed', 'failed'])).toMatchObject({
      status: 'completed',
    });
    expect(await generate({ workflow: 'picture', image: made })).toMatchObject({
      status: 400,
      json: { code: 'invalid_field', details: { field: 'image' } },
    });
  });
});

describe('what lies at an address', () => {
  const app = () =>
    anotherProcess(rig, {
      fetchInput: createFetch({ allowPrivate: true, resolve: async () => ['127.0.0.1'], own: new Set() }),
    });

  test('is fetched, and refused where it is of another kind', async () => {
    const sound = await done({ workflow: 'sound', audio: `${outside.url}/song` }, app());
    expect(sound).toMatchObject({ status: 'completed' });
    expect(await generate({ workflow: 'film', video: `${outside.url}/song` }, app())).toMatchObject({
      status: 422,
      json: { code: 'input_not_fetched', details: { field: 'video' } },
    });
  });
});

test('each is described as what it takes', async () => {
  const { json } = await call<{ inputs: { properties: Record<string, object> } }>(
    rig.app,
    'GET /api/workflows/sound',
  );
  expect(json.inputs.properties['audio']).toMatchObject({ type: 'string', 'x-input': 'audio' });
});
