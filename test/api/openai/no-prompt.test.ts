// A workflow without words, for clients that always send some.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../../support/rig.ts';
import { call } from '../support.ts';
import { clientOf, sizeOfPng } from './support.ts';

let rig: Rig;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  const graph = {
    1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
    2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Red' } },
  };
  const side = { type: 'integer', default: 64, minimum: 16, maximum: 256, to: ['1.width', '1.height'] };
  await writeFile(join(folder, 'plain.json'), JSON.stringify(graph));
  await writeFile(join(folder, 'plain.inputs.json'), JSON.stringify({ title: 'Plain', inputs: { side } }));
  rig = await startRig({ workflows: folder });
  await rig.addHost();
});
afterAll(async () => {
  await rig?.close();
  await rm(folder, { recursive: true, force: true });
});

test('its image is made, and a header says what was of no use', async () => {
  const asked = { model: 'plain', prompt: 'unheard', side: 32 };
  const { data, response } = await clientOf(rig).images.generate(asked).withResponse();
  expect(sizeOfPng(data.data![0]!.b64_json)).toBe('32x32');
  expect(response.headers.get('x-unused-parameters')).toBe('prompt');
});

test('it needs none', async () => {
  const answer = await call(rig.app, 'POST /v1/images/generations', { json: { model: 'plain' } });
  expect([answer.status, answer.headers.get('x-unused-parameters')]).toEqual([200, null]);
});
