// Owns the proof of what no recording shows and real ComfyUIs were seen to do (docs/comfyui.md, by its
// numbers): said of both versions, and of a real one where COMFYUI holds its address.
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ask, askUntil, Listener } from './client.ts';
import { emptyImage, flux, save, slowGraph, type TestGraph } from './graphs.ts';
import { startSubject, type Subject, versions } from './subject.ts';

type Queue = Record<'queue_running' | 'queue_pending', [number, string][]>;
type NodeErrors = Record<string, { errors: { type: string; details: string }[] }>;
interface Refusal {
  error: { type: string; message: string; details: string };
  node_errors: NodeErrors;
}

describe.each(versions)('%s', (version) => {
  const newer = version !== '0.8';
  let subject: Subject;
  beforeAll(async () => {
    subject = await startSubject(version);
  });
  afterAll(() => subject.close());
  afterEach(async () => {
    await post('/queue', { clear: true });
    await post('/interrupt', {});
    await nothingIsThere();
  });

  const get = (path: string) => ask(subject.url, 'GET', path);
  const post = (path: string, body?: unknown) => ask(subject.url, 'POST', path, body);
  const said = async (path: string, init?: RequestInit) => {
    const answer = await fetch(subject.url + path, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const submit = async (prompt: unknown, more: object = {}) => {
    const prompt_id = randomUUID();
    return { id: prompt_id, said: await post('/prompt', { prompt, prompt_id, ...more }) };
  };
  const refused = async (prompt: unknown) => (await submit(prompt)).said as [number, Refusal];
  const isRunning = (id: string) =>
    askUntil(subject.url, '/queue', (body) => (body as Queue).queue_running[0]?.[1] === id);
  const nothingIsThere = () =>
    askUntil(subject.url, '/queue', (body) => Object.values(body as Queue).flat().length === 0);
  const any = () => Math.floor(Math.random() * 2 ** 24);
  const slow = (ms: number) => slowGraph(ms, any());

  test('G03, G04: a prompt id is any, or a UUID as it is written', async () => {
    const answer = async (prompt_id: unknown) => {
      const [status, body] = await post('/prompt', { prompt: slow(0), prompt_id });
      return status === 200 ? (body as { prompt_id: string }).prompt_id : (body as Refusal).error.type;
    };
    const upper = randomUUID().toUpperCase();
    const taken = [await answer('abc'), await answer(5), await answer(upper)];
    expect(taken).toEqual(
      newer ? ['invalid_prompt_id', 'invalid_prompt_id', 'invalid_prompt_id'] : ['abc', '5', upper],
    );
    expect(await answer(null)).toMatch(newer ? /^[0-9a-f]{8}-/ : /^None$/);
  });

  test('G13: one job is cancelled, or several, whatever they are at', async () => {
    const [running, waiting] = [await submit(slow(60_000)), await submit(slow(0))];
    await isRunning(running.id);
    const cancel = (id: string) => post(`/api/jobs/${id}/cancel`);
    if (!newer) {
      expect((await cancel(waiting.id))[0]).toBe(405);
      expect((await post('/api/jobs/cancel', { job_ids: [waiting.id] }))[0]).toBe(405);
      await post('/queue', { clear: true });
      await post('/interrupt', { prompt_id: running.id });
    } else {
      expect(await post('/api/jobs/cancel', { job_ids: ['x', {}] })).toEqual([
        400,
        { error: 'job_ids contains invalid id(s)', invalid_ids: ['x', '{}'] },
      ]);
      expect(await post('/api/jobs/cancel', [])).toEqual([400, { error: 'job_ids must be a list' }]);
      expect(await cancel(waiting.id)).toEqual([200, { cancelled: true }]);
      expect(await cancel(waiting.id)).toEqual([200, { cancelled: false }]);
      expect(await get(`/api/jobs/${waiting.id}`)).toEqual([404, { error: 'Job not found' }]);
      expect(await cancel('no such')).toEqual([200, { cancelled: false }]);
      expect(await post('/api/jobs/cancel', { job_ids: [running.id, randomUUID()] })).toEqual([
        200,
        { cancelled: true },
      ]);
    }
    await nothingIsThere();
    expect(await get(`/api/jobs/${running.id}`)).toMatchObject([
      200,
      { status: newer ? 'cancelled' : 'failed' },
    ]);
    expect((await get('/api/jobs?status=cancelled'))[0]).toBe(newer ? 200 : 400);
    expect((await get('/jobs'))[0]).toBe(404);
  });

  const scaled = (scale_by: unknown): string =>
    JSON.stringify({
      1: emptyImage(any()),
      2: { class_type: 'ImageScaleBy', inputs: { image: ['1', 0], upscale_method: 'area', scale_by } },
      3: save('2'),
    });
  const withNaN = (graph: string) => graph.replace('"NaN"', 'NaN');

  test('G68: a FLOAT may be NaN, and then queue and history are no JSON; an INT may not', async () => {
    const running = await submit(slow(60_000));
    await isRunning(running.id);
    const id = randomUUID();
    const graph = withNaN(scaled('NaN'));
    const taken = await said('/prompt', { method: 'POST', body: `{"prompt_id":"${id}","prompt":${graph}}` });
    expect(taken.status).toBe(200);
    expect((await said('/queue')).text).toMatch(/"scale_by": ?NaN/);
    const whole = withNaN(JSON.stringify({ 1: emptyImage('NaN' as unknown as number), 2: save('1') }));
    const no = await said('/prompt', { method: 'POST', body: `{"prompt":${whole}}` });
    expect(no.status).toBe(400);
    expect(no.text).toContain('color, nan, cannot convert float NaN to integer');
  });

  test('G67: seeds are exact up to 2^64 - 1, and no further', async () => {
    const graph = (seed: string) => JSON.stringify(flux(0, 'x')).replace('"seed":0', `"seed":${seed}`);
    const running = await submit(slow(60_000));
    await isRunning(running.id);
    for (const seed of ['18446744073709551615', '13520934829384756123', '9007199254740993'])
      expect((await post('/prompt', `{"prompt":${graph(seed)}}`))[0]).toBe(200);
    const { text } = await said('/queue');
    for (const seed of ['18446744073709551615', '13520934829384756123', '9007199254740993'])
      expect(text).toMatch(new RegExp(`"seed": ?${seed}\\b`));
    const [status, body] = await post('/prompt', `{"prompt":${graph('18446744073709551616')}}`);
    expect([status, (body as Refusal).node_errors['8']!.errors[0]]).toMatchObject([
      400,
      { message: 'Value 18446744073709551616 bigger than max of 18446744073709551615' },
    ]);
    expect((await said('/object_info/KSampler')).text).toMatch(/"max": ?18446744073709551615\b/);
  });

  test('G72: a circle is refused, by 0.8 without a word', async () => {
    const invert = (from: string) => ({ class_type: 'ImageInvert', inputs: { image: [from, 0] } });
    const [status, { error, node_errors }] = await refused({ 1: invert('2'), 2: invert('1'), 3: save('1') });
    expect([status, error.type]).toEqual([400, 'prompt_outputs_failed_validation']);
    const found = Object.entries(node_errors).map(([node, { errors }]) => [node, errors[0]]);
    const details = '1 (ImageInvert) -> 2 (ImageInvert) -> 1 (ImageInvert)';
    const extra_info = { cycle_nodes: ['1', '2'] };
    expect(found).toMatchObject(
      newer ? ['1', '2'].map((node) => [node, { type: 'dependency_cycle', details, extra_info }]) : [],
    );
    expect(error.details).toBe('');
  });

  test('G10: only the outputs that are asked for', async () => {
    const prompt: TestGraph = { 1: emptyImage(any()), 2: save('1', 'one'), 3: save('1', 'two') };
    const { id, said: answer } = await submit(prompt, { partial_execution_targets: ['3'] });
    expect(answer).toMatchObject([200, { node_errors: {} }]);
    const history = await askUntil(subject.url, `/history/${id}`, (body) => id in (body as object));
    expect(Object.keys((history as Record<string, { outputs: object }>)[id]!.outputs)).toEqual(['3']);
    const { said: none } = await submit(prompt, { partial_execution_targets: ['1'] });
    expect(none).toMatchObject([400, { error: { type: 'prompt_no_outputs' } }]);
  });

  test('N5: one prompt whose extra_pnginfo is null, and the list of jobs is a 500', async () => {
    const { id } = await submit(slow(0), { extra_data: { extra_pnginfo: null } });
    await askUntil(subject.url, `/history/${id}`, (body) => id in (body as object));
    expect((await get('/api/jobs'))[0]).toBe(500);
    await post('/history', { delete: [id] });
    expect((await get('/api/jobs'))[0]).toBe(200);
  });

  test('N6: what is no graph at all', async () => {
    const statuses = [];
    for (const prompt of [[], { nodes: [], links: [] }, { 1: 5 }]) statuses.push((await refused(prompt))[0]);
    expect(statuses).toEqual(newer ? [500, 500, 500] : [400, 400, 500]);
  });

  test('an unknown class, and none, by the title that a person gave the node', async () => {
    const of = async (node: object) => {
      const [, { error }] = await refused({ 1: node });
      return [error.type, error.message];
    };
    const titled = { _meta: { title: 'My node' }, inputs: {} };
    expect([await of({ ...titled, class_type: 'Nope' }), await of(titled)]).toEqual(
      newer
        ? [
            ['missing_node_type', "Node 'My node' not found. The custom node may not be installed."],
            [
              'missing_node_type',
              "Node 'My node' has no class_type. The workflow may be corrupted or a custom node is missing.",
            ],
          ]
        : [
            ['invalid_prompt', 'Cannot execute because node Nope does not exist.'],
            ['invalid_prompt', 'Cannot execute because a node is missing the class_type property.'],
          ],
    );
  });

  test('G99: a class that is gone is replaced before anything is looked at', async () => {
    const load = (more: object) => ({ 1: { class_type: 'T2IAdapterLoader', ...more }, 2: save('1') });
    const inputs = { t2i_adapter_name: 'x.safetensors' };
    const [status, { node_errors, error }] = await refused(load({ inputs, _meta: {} }));
    expect(status).toBe(400);
    if (!newer) {
      expect(error.type).toBe('invalid_prompt');
      expect((await get('/node_replacements'))[0]).toBe(404);
      return;
    }
    // It loads a control net now, and that is no image.
    expect(node_errors['2']!.errors[0]).toMatchObject({
      type: 'return_type_mismatch',
      details: expect.stringContaining('received_type(CONTROL_NET)'),
    });
    expect((await refused(load({ inputs })))[0]).toBe(500);
    expect((await refused(load({ inputs: {}, _meta: {} })))[0]).toBe(500);
    expect(await get('/node_replacements')).toMatchObject([
      200,
      {
        T2IAdapterLoader: [
          {
            new_node_id: 'ControlNetLoader',
            input_mapping: [{ new_id: 'control_net_name', old_id: 't2i_adapter_name' }],
          },
        ],
        'ConditioningAverage ': [{ new_node_id: 'ConditioningAverage', input_mapping: null }],
      },
    ]);
  });

  const put = async (name: string, fields: Record<string, string>) => {
    const form = new FormData();
    for (const [key, value] of Object.entries({ overwrite: 'true', ...fields })) form.set(key, value);
    form.set('image', new File(['<svg xmlns="http://www.w3.org/2000/svg"/>'], name));
    expect((await fetch(`${subject.url}/upload/image`, { method: 'POST', body: form })).status).toBe(200);
  };

  test('G56: LoadImage looks into folders of its folder, and 0.8 out of it', async () => {
    await put('x.png', { subfolder: 'sub' });
    await put('above.png', { type: 'output' });
    const load = async (image: string) => {
      const { id, said: answer } = await submit({
        1: { class_type: 'LoadImage', inputs: { image } },
        2: save('1'),
      });
      if (answer[0] === 200) await askUntil(subject.url, `/history/${id}`, (body) => id in (body as object));
      return answer[0];
    };
    expect(await load('sub/x.png')).toBe(200);
    expect(await load('above.png [output]')).toBe(200);
    expect(await load('../output/above.png')).toBe(newer ? 400 : 200);
  });

  test('G45: what a browser would run is handed out as bytes', async () => {
    const binary = 'application/octet-stream';
    const headers = async (name: string, init?: RequestInit) => {
      await put(name, { type: 'output' });
      const answer = await said(`/view?filename=${encodeURIComponent(name)}`, init);
      return ['content-type', 'content-disposition', 'cache-control', 'x-content-type-options'].map(
        (header) => answer.headers.get(header),
      );
    };
    expect(await headers('a.html')).toEqual(
      newer
        ? [binary, 'attachment; filename="a.html"', 'no-store', 'nosniff']
        : [binary, 'filename="a.html"', null, null],
    );
    expect(await headers('a.svg')).toEqual(
      newer
        ? [binary, 'attachment; filename="a.svg"', 'no-store', 'nosniff']
        : ['image/svg+xml', 'filename="a.svg"', null, null],
    );
    expect((await headers('a.svg', { headers: { 'sec-fetch-dest': 'image' } }))[0]).toBe('image/svg+xml');
    expect(await headers('a.png')).toEqual(['image/png', 'filename="a.png"', null, newer ? 'nosniff' : null]);
  });

  test('N8, G82, G83: pages of other sites, where the Host is this machine', async () => {
    const status = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        const asking = request(`${subject.url}/prompt`, { headers, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        asking.on('error', reject).end();
      });
    const { host, port } = new URL(subject.url);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(newer ? 403 : 200);
    expect(await status({ 'sec-fetch-site': 'same-site' })).toBe(200);
    expect(await status({ host, origin: 'http://elsewhere.example' })).toBe(403);
    expect(await status({ host, origin: `http://127.0.0.1:${Number(port) + 1}` })).toBe(403);
    expect(await status({ host, origin: 'http://127.0.0.1' })).toBe(200);
    expect(await status({ host, origin: 'null' })).toBe(200);
    expect(await status({ host: 'comfy.example', origin: 'http://elsewhere.example' })).toBe(200);
  });

  test('G117: a prompt without a client is told to everyone, as far as it goes', async () => {
    const listener = new Listener(subject.url, randomUUID());
    await listener.greeted();
    const { id } = await submit(slow(0));
    await listener.until(({ type, data }) => type === 'progress' && data['prompt_id'] === id);
    await askUntil(subject.url, `/history/${id}`, (body) => id in (body as object));
    expect(JSON.stringify(listener.messages)).not.toContain('execution_start');
    listener.close();
  });

  test('G109: progress comes at each step, or ten times a second', async () => {
    const listener = new Listener(subject.url, 'steps');
    await listener.greeted();
    const { id } = await submit(slow(400), { client_id: 'steps' });
    await listener.ended(id);
    const values = listener.messages.flatMap((message) =>
      'type' in message && message.type === 'progress' ? [message.data['value'] as number] : [],
    );
    expect([values[0], values.at(-1)]).toEqual([1, 10]);
    // Steps of 40 ms: two of three are left out.
    if (newer) expect(values.length).toBeLessThan(7);
    else expect(values).toHaveLength(10);
    listener.close();
  });
});
