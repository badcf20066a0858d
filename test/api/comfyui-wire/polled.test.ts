// ComfyUI's wire below the API's addresses: all that a client needs who polls, and no socket.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_UPLOAD_BYTES } from '../../../functions/core/limits.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { SETTINGS, call, eventually } from '../support.ts';
import { picture, reading, small } from '../v2/support.ts';
import { createKey, guardedApi } from './keys.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ settings: { polledWire: true } });
  await rig.addHost();
});
afterAll(() => rig.close());

const get = (path: string) => call(rig.app, `GET ${path}`);

interface Listed {
  filename: string;
  subfolder: string;
  type: string;
}
type History = Record<string, { outputs: Record<string, { images: Listed[] }> }>;

test.each(['/comfyui', '/comfyui/api'])('a client that polls gets its image at %s', async (at) => {
  const form = new FormData();
  form.append('image', new File([picture()], 'photo.png'));
  form.append('overwrite', 'true');
  const uploaded = await call(rig.app, `POST ${at}/upload/image`, { body: form });
  expect(uploaded.json).toEqual({ name: 'photo.png', subfolder: '', type: 'input' });

  const { status, json } = await call(rig.app, `POST ${at}/prompt`, {
    json: { prompt: reading('photo.png') },
  });
  expect(status).toBe(200);
  const id = String(json['prompt_id']);
  const entry = await eventually('the history', async () => (await get(`${at}/history/${id}`)).json[id]);
  const [image] = Object.values((entry as History[string]).outputs).flatMap(({ images }) => images);
  const view = `${at}/view?${new URLSearchParams({ ...image! }).toString()}`;
  const whole = await rig.app.request(view);
  const bytes = Buffer.from(await whole.arrayBuffer());
  expect([whole.status, bytes.toString('latin1', 1, 4)]).toEqual([200, 'PNG']);
  const part = await rig.app.request(view, { headers: { range: 'bytes=1-3' } });
  expect([part.status, await part.text()]).toEqual([206, 'PNG']);
  const head = await rig.app.request(view, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
});

test('the API’s own addresses of the same names stay its own, of the same jobs', async () => {
  const { json } = await call(rig.app, 'POST /comfyui/prompt', { json: { prompt: small('seen by both') } });
  await rig.until(String(json['prompt_id']), ['completed']);
  expect((await get('/api/queue')).json).toHaveProperty('queue');
  expect((await get('/comfyui/queue')).json).toEqual({ queue_running: [], queue_pending: [] });
  expect((await get('/comfyui/api/queue')).json).toEqual({ queue_running: [], queue_pending: [] });
  expect((await get('/prompt')).status).toBe(404);
});

test.each([
  ['/object_info/KSampler', 'KSampler'],
  ['/system_stats', 'devices'],
  ['/prompt', 'exec_info'],
  ['/api/jobs', 'jobs'],
])('%s is answered', async (path, has) => {
  const { status, json, headers } = await get(`/comfyui${path}`);
  expect([status, Object.keys(json)]).toEqual([200, expect.arrayContaining([has])]);
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

test('it names the size that passes a Lambda, and takes no larger file', async () => {
  const { max_upload_size: most } = (await get('/comfyui/features')).json;
  expect(most).toBe(MAX_UPLOAD_BYTES);
  const upload = (path: string, size: number) => {
    const body = new FormData();
    body.append('image', new File([new Uint8Array(size)], 'large.bin'));
    body.append('original_ref', JSON.stringify({ filename: 'photo.png', type: 'input' }));
    return call(rig.app, `POST /comfyui${path}`, { body });
  };
  expect((await upload('/upload/image', Number(most))).status).toBe(200);
  for (const path of ['/upload/image', '/upload/mask', '/api/upload/image'])
    expect(await upload(path, Number(most) + 1)).toMatchObject({
      status: 413,
      json: { error: { type: 'body_too_large' } },
    });
});

test.each(['/comfyui/ws', '/comfyui/api/ws?clientId=me'])(
  '%s says that there is no socket, and what to do',
  async (path) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    const { status, json, headers: said } = await call(rig.app, `GET ${path}`, { headers });
    const message = expect.stringContaining('GET /history/{prompt_id}') as string;
    expect([status, json]).toMatchObject([
      501,
      { error: { type: 'no_websocket', message }, node_errors: {} },
    ]);
    expect(said.get('cache-control')).toBe('no-store');
  },
);

test.each([
  ['GET /comfyui', 404, 'route_not_found'],
  ['GET /comfyui/', 404, 'route_not_found'],
  ['GET /comfyui/internal/logs', 404, 'route_not_found'],
  ['GET /comfyui/jobs', 404, 'route_not_found'],
  ['POST /comfyui/view', 405, 'method_not_allowed'],
])('%s: %i', async (route, status, type) => {
  expect(await call(rig.app, route)).toMatchObject({ status, json: { error: { type }, node_errors: {} } });
});

test('a key with the scope graphs, in a header or in the address; without one nothing is said', async () => {
  const api = guardedApi(rig, { ...SETTINGS, polledWire: true });
  const [key, bare] = [await createKey(rig, 'alice'), await createKey(rig, 'bob', ['generate', 'read'])];
  const sent = (headers: Record<string, string>, query = '') =>
    call(api, `POST /comfyui/prompt${query}`, { json: { prompt: small('keyed') }, headers });
  expect((await sent({ authorization: `Bearer ${key}` })).status).toBe(200);
  expect((await sent({ 'x-api-key': key })).status).toBe(200);
  expect((await sent({}, `?token=${key}`)).status).toBe(200);
  expect(await sent({ 'x-api-key': bare })).toMatchObject({
    status: 403,
    json: { error: { type: 'forbidden' } },
  });
  for (const route of ['POST /comfyui/prompt', 'GET /comfyui/ws', 'GET /comfyui/none'])
    expect(await call(api, route)).toMatchObject({ status: 401, json: { error: { type: 'unauthorized' } } });
  const { json } = await call<{ queue_pending: unknown[] }>(api, 'GET /comfyui/queue', {
    headers: { 'x-api-key': bare },
  });
  expect(json.queue_pending).toEqual([]);
});

test('it is not there unless it is asked for', async () => {
  const { status, json } = await call(guardedApi(rig), 'GET /comfyui/queue', {
    headers: { 'x-api-key': await createKey(rig, 'carol') },
  });
  expect([status, json]).toMatchObject([404, { code: 'route_not_found' }]);
});
