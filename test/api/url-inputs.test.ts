// Inputs that are named by an address: fetched once, before the job is accepted, and uploads from then on.

import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys, uploadName } from '../../functions/core/names.ts';
import { createFetch } from '../../functions/outbound/fetch.ts';
import { listen } from '../images/support.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call } from './support.ts';
import { picture } from './v2/support.ts';

const image = picture();
const name = uploadName(createHash('sha256').update(image).digest('hex'), 'png');
let rig: Rig;
let app: Rig['app'];
let server: Server;
let url: string;
let asked: string[] = [];
beforeAll(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  await rig.addHost();
  ({ server, url } = await listen((req, res) => {
    asked.push(req.url!);
    if (req.url === '/photo') res.writeHead(200, { 'content-type': 'text/html' }).end(image);
    else if (req.url === '/page.png') res.writeHead(200).end('<!doctype html><html></html>');
    else res.writeHead(404).end();
  }));
  const fetchInput = createFetch({ allowPrivate: true, resolve: async () => ['127.0.0.1'], own: new Set() });
  app = anotherProcess(rig, { fetchInput });
});
afterAll(async () => {
  server.close().closeAllConnections();
  await rig.close();
});

const generate = (address: string, headers: Record<string, string> = {}) =>
  call(app, 'POST /api/generate', { json: { workflow: 'load', image: address }, headers });

test('a job reads what was there when it was accepted, and says which upload that is', async () => {
  const { status, json } = await generate(`${url}/photo`, { 'idempotency-key': 'one' });
  expect(status).toBe(202);
  const { inputs, staging } = (await rig.store.jobs.readRequest(String(json['job_id'])))!;
  expect(inputs).toMatchObject({ image: name });
  expect(staging).toEqual([{ key: keys.upload('local', name), to: [expect.any(String)] }]);
  expect(await rig.until(String(json['job_id']), ['completed', 'failed'])).toMatchObject({
    status: 'completed',
  });
  // An answer that was lost: the same job, without another look at the address.
  asked = [];
  const again = await generate(`${url}/photo`, { 'idempotency-key': 'one' });
  expect(again.json['job_id']).toBe(json['job_id']);
  expect(asked).toEqual([]);
});

test('what cannot be had, or is no image, refuses the job and leaves nothing', async () => {
  for (const path of ['/none.png', '/page.png'])
    expect(await generate(url + path)).toMatchObject({
      status: 422,
      json: { code: 'input_not_fetched', details: { field: 'image' } },
    });
  const off = anotherProcess(rig, {});
  const json = { workflow: 'load', image: `${url}/photo` };
  expect(await call(off, 'POST /api/generate', { json })).toMatchObject({
    status: 422,
    json: { code: 'input_not_fetched' },
  });
  const { json: uploads } = await call(app, 'GET /api/uploads');
  expect((uploads['uploads'] as { name: string }[]).map((one) => one.name)).toEqual([name]);
});

test('in a graph of the Comfy API v2 an asset may have an address', async () => {
  const workflow = (info: object) => ({
    1: { class_type: 'LoadImage', inputs: { image: { __type: 'core/ASSET', info } } },
    2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
  });
  const submit = (info: object) => call(app, 'POST /api/v2/jobs', { json: { workflow: workflow(info) } });
  const { status, json } = await submit({ url: `${url}/photo` });
  expect(status).toBe(201);
  expect(await rig.until(String(json['id']), ['completed', 'failed'])).toMatchObject({ status: 'completed' });
  expect((await submit({ url: `${url}/none` })).status).toBe(422);
  expect((await submit({ url: 7 })).json).toMatchObject({ error: { code: 'missing_asset' } });
});
