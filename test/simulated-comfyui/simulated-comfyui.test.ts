// Owns the proof of what no recording shows: routes, queue order, sockets, faults, and running as a process.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PromptQueue } from '../../simulated-comfyui/queue.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { freePort } from '../support/free-port.ts';
import { ask, askUntil, isFrame, Listener } from './client.ts';
import { chain, flux, loadImage, plainGraph, save, slowGraph } from './graphs.ts';

let comfyui: SimulatedComfyUI;
beforeEach(async () => {
  // 0.8 takes any prompt id: names are easier to read.
  comfyui = await startSimulatedComfyUI({ version: '0.8', stepMs: 1 });
});
afterEach(() => comfyui.close());

const post = (path: string, body: unknown) => ask(comfyui.url, 'POST', path, body);
const get = (path: string) => ask(comfyui.url, 'GET', path);
const submit = (prompt: object, prompt_id: string, more: object = {}) =>
  post('/prompt', { prompt, prompt_id, ...more });
const ended = (id: string) => askUntil(comfyui.url, `/history/${id}`, (body) => id in (body as object));
const running = (id: string) =>
  askUntil(comfyui.url, '/queue', (body) => (body as Queue).queue_running[0]?.[1] === id);
type Queue = Record<'queue_running' | 'queue_pending', [number, string][]>;
type Histories = Record<
  string,
  { status: { status_str: string; messages: [string, Record<string, unknown>][] }; outputs: object }
>;

async function listen(id: string): Promise<Listener> {
  const listener = new Listener(comfyui.url, id);
  await listener.greeted();
  return listener;
}

describe('routes', () => {
  test('a GET of the unknown is not found, anything else not allowed', async () => {
    for (const prefix of ['', '/api']) {
      expect(await get(`${prefix}/nothing`)).toEqual([404, '']);
      expect(await post(`${prefix}/system_stats`, {})).toEqual([405, '']);
      expect(await ask(comfyui.url, 'DELETE', `${prefix}/queue`)).toEqual([405, '']);
      expect(await get(`${prefix}/models/nothing`)).toEqual([404, '']);
    }
    expect(await get('/jobs')).toEqual([404, '']);
    expect(await get('//%')).toEqual([404, '']);
    expect(await ask(comfyui.url, 'OPTIONS', '/prompt')).toEqual([200, '']);
  });

  test('a page of another origin is turned away', async () => {
    const answer = await fetch(`${comfyui.url}/prompt`, { headers: { origin: 'http://elsewhere.example' } });
    expect(answer.status).toBe(403);
  });

  test('the history gives the last few, and forgets what it is told to', async () => {
    for (const id of ['a', 'b', 'c']) await submit(plainGraph(1, id), id);
    await ended('c');
    const ids = async (query: string) => Object.keys((await get(`/history${query}`))[1] as object);
    expect(await ids('')).toEqual(['a', 'b', 'c']);
    expect(await ids('?max_items=2')).toEqual(['b', 'c']);
    expect(await ids('?max_items=1&offset=1')).toEqual(['b']);
    expect(await get('/history?max_items=many')).toEqual([500, expect.any(String)]);
    expect(await post('/history', { delete: ['b'] })).toEqual([200, '']);
    expect(await ids('')).toEqual(['a', 'c']);
    await post('/history', { clear: true });
    expect(await ids('')).toEqual([]);
  });

  test('views nothing outside its folders', async () => {
    for (const [query, status] of [
      ['filename=%2Fetc%2Fpasswd', 400],
      ['filename=passwd&subfolder=..%2F..', 403],
      ['filename=passwd&subfolder=%2Fetc', 403],
      ['filename=a.png&type=elsewhere', 400],
      ['type=output', 404],
    ] as const)
      expect(await get(`/view?${query}`)).toEqual([status, '']);
  });

  test('an upload of other bytes under a known name is renamed, unless it may overwrite', async () => {
    const upload = async (text: string, fields: Record<string, string> = {}) => {
      const form = new FormData();
      form.set('image', new File([text], 'x.png'));
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      const answer = await fetch(`${comfyui.url}/api/upload/image`, { method: 'POST', body: form });
      return answer.ok ? ((await answer.json()) as { name: string }).name : answer.status;
    };
    expect(await upload('one')).toBe('x.png');
    expect(await upload('two')).toBe('x (1).png');
    expect(await upload('two')).toBe('x (1).png');
    expect(await upload('three', { overwrite: '1' })).toBe('x.png');
    expect(await (await fetch(`${comfyui.url}/view?filename=x.png&type=input`)).text()).toBe('three');
    expect(await upload('four', { subfolder: '../..' })).toBe(400);
    expect(await upload('five', { type: 'nowhere' })).toBe(500);
  });

  test('an image that is not there is refused when submitted', async () => {
    const extra_info = { input_name: 'image' };
    const details = 'image - Invalid image file: no.png';
    expect(await submit(chain(loadImage('no.png')), 'x')).toMatchObject([
      400,
      { node_errors: { 1: { errors: [{ type: 'custom_validation_failed', details, extra_info }] } } },
    ]);
  });

  test('constants are converted before they are compared', async () => {
    const graph = plainGraph();
    Object.assign(graph['1']!.inputs, { width: '80', height: 64.9, color: true });
    await submit(graph, 'x');
    const [, history] = [0, await ended('x')];
    const { prompt } = (history as Record<string, { prompt: [0, 0, typeof graph] }>)['x']!;
    expect(prompt[2]['1']!.inputs).toMatchObject({ width: 80, height: 64, color: 1 });
    graph['1']!.inputs['width'] = 'wide';
    expect(await submit(graph, 'y')).toMatchObject([
      400,
      { node_errors: { 1: { errors: [{ type: 'invalid_input_type' }] } } },
    ]);
  });

  test('a float out of range is named as Python names it', async () => {
    const graph = chain({ ...plainGraph()['1']! }, ['ImageScaleBy', { upscale_method: 'area', scale_by: 9 }]);
    expect(await submit(graph, 'x')).toMatchObject([
      400,
      {
        node_errors: {
          2: { errors: [{ type: 'value_bigger_than_max', message: 'Value 9.0 bigger than max of 8.0' }] },
        },
      },
    ]);
  });

  test('the graph must be one that ComfyUI survives', async () => {
    const loop = { 1: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } }, 2: save('1') };
    expect(await submit(loop, 'x')).toMatchObject([
      400,
      { error: { type: 'prompt_outputs_failed_validation' } },
    ]);
    expect(await submit({ 1: { class_type: 'SaveImage' } }, 'x')).toMatchObject([
      400,
      { node_errors: { 1: { errors: [{ type: 'exception_during_validation', details: "'inputs'" }] } } },
    ]);
    expect(await submit({ 1: 7 }, 'x')).toEqual([500, expect.any(String)]);
    expect(await post('/prompt', '[]')).toMatchObject([400, { error: { type: 'no_prompt' } }]);
  });
});

describe('the queue', () => {
  test('runs by number, and what wants to go first before the rest', async () => {
    await submit(slowGraph(60), 'slow');
    await running('slow');
    await submit(plainGraph(1, 'a'), 'a');
    await submit(plainGraph(1, 'b'), 'b', { number: 0.5 });
    await submit(plainGraph(1, 'c'), 'c', { front: true });
    expect(await get('/prompt')).toEqual([200, { exec_info: { queue_remaining: 4 } }]);
    await ended('a');
    expect(Object.keys((await get('/history'))[1] as object)).toEqual(['slow', 'c', 'b', 'a']);
  });

  test('shows what is pending as the heap of Python lies', async () => {
    const queue = new PromptQueue(() => undefined);
    const pending = () => queue.pending.map(([number]) => number);
    for (const number of [9, 3, 7, 1, 8, 2, 6, 5, 4, 0]) queue.put([number, String(number), {}, {}, []]);
    expect(pending()).toEqual([0, 1, 2, 4, 3, 7, 6, 9, 5, 8]);
    await queue.take();
    await queue.take();
    expect(pending()).toEqual([2, 3, 5, 4, 8, 7, 6, 9]);
    queue.delete('5');
    expect(pending()).toEqual([2, 3, 4, 8, 7, 6, 9]);
  });

  test('remembers the last ten thousand prompts and no more', async () => {
    const queue = new PromptQueue(() => undefined);
    const ran = {
      outputs: {},
      meta: {},
      status: { status_str: 'success', completed: true, messages: [] },
    } as const;
    for (let number = 0; number < 10_050; number++) {
      queue.put([number, `p${number}`, {}, {}, []]);
      queue.done((await queue.take())!, { ...ran, status: { ...ran.status, messages: [] } });
    }
    const ids = Object.keys(queue.history());
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([10_000, 'p50', 'p10049']);
  });

  test('runs a prompt id that was posted twice, twice', async () => {
    const listener = await listen('me');
    for (const seed of [1, 2]) await submit(plainGraph(seed), 'twice', { client_id: 'me' });
    await ended('twice');
    await askUntil(comfyui.url, '/queue', (body) => (body as Queue).queue_running.length === 0);
    await post('/interrupt', {});
    const starts = listener.messages.filter(
      (message) => !isFrame(message) && message.type === 'execution_start',
    );
    expect(starts).toHaveLength(2);
    listener.close();
  });

  test('leaves the running prompt alone when another id is interrupted or deleted', async () => {
    await submit(slowGraph(60), 'slow');
    await running('slow');
    await submit(plainGraph(), 'waiting');
    await post('/interrupt', { prompt_id: 'waiting' });
    await post('/queue', { delete: ['waiting', 'slow'] });
    const history = (await ended('slow')) as Histories;
    expect(history['slow']!.status.status_str).toBe('success');
    expect(await get('/history/waiting')).toEqual([200, {}]);
  });

  test('an interrupt without a body stops whatever runs; what was done stays in the cache', async () => {
    await submit(slowGraph(60_000), 'slow');
    await running('slow');
    expect(await ask(comfyui.url, 'POST', '/interrupt')).toEqual([200, '']);
    expect(((await ended('slow')) as Histories)['slow']!.status).toMatchObject({
      status_str: 'error',
      completed: false,
    });
    await submit(slowGraph(0), 'again');
    expect(((await ended('again')) as Histories)['again']!.status.messages[1]).toMatchObject([
      'execution_cached',
      { nodes: ['1'] },
    ]);
  });

  test('freed memory is an empty cache', async () => {
    await submit(plainGraph(), 'one');
    await ended('one');
    expect(await post('/free', { free_memory: true })).toEqual([200, '']);
    await submit(plainGraph(), 'two');
    expect(((await ended('two')) as Histories)['two']!.status.messages[1]).toMatchObject([
      'execution_cached',
      { nodes: [] },
    ]);
  });
});

describe('sockets', () => {
  const types = (listener: Listener) =>
    listener.messages.map((message) => (isFrame(message) ? 'frame' : message.type));

  test('the end of a prompt is told before the history has it', async () => {
    comfyui.faults.holdHistory = true;
    const listener = await listen('me');
    await submit(plainGraph(), 'x', { client_id: 'me' });
    await listener.until(({ type }) => type === 'execution_success');
    expect(await get('/history/x')).toEqual([200, {}]);
    await running('x');
    comfyui.faults.holdHistory = false;
    await listener.ended('x');
    expect(await get('/history/x')).toMatchObject([200, { x: {} }]);
    expect(types(listener).slice(-3)).toEqual(['execution_success', 'status', 'executing']);
    listener.close();
  });

  test('a second socket with the same id takes over, and goes with the close of the first', async () => {
    const first = await listen('me');
    const second = await listen('me');
    await submit(plainGraph(1), 'one', { client_id: 'me' });
    await second.ended('one');
    expect(types(first)).toEqual(['status']);
    first.close();
    await first.closed;
    await submit(plainGraph(2), 'two', { client_id: 'me' });
    await ended('two');
    expect(JSON.stringify(second.messages)).not.toContain('"two"');
    second.close();
  });

  test('a client that comes back is told which node runs', async () => {
    const first = await listen('me');
    await submit(slowGraph(60_000), 'slow', { client_id: 'me' });
    await first.until(({ type, data }) => type === 'executing' && data['node'] === '2');
    first.close();
    await first.closed;
    const second = await listen('me');
    expect(await second.until(({ type }) => type === 'executing')).toEqual({
      type: 'executing',
      data: { node: '2' },
    });
    await post('/interrupt', {});
    await second.ended('slow');
    second.close();
  });

  test("others hear the queue's length, and everything about a prompt that came without a client", async () => {
    const listener = await listen('other');
    await submit(plainGraph(1), 'theirs', { client_id: 'me' });
    await ended('theirs');
    expect(new Set(types(listener))).toEqual(new Set(['status']));
    await submit(plainGraph(2), 'nobodys');
    await listener.until(({ type, data }) => type === 'progress_state' && data['prompt_id'] === 'nobodys');
    expect(types(listener)).not.toContain('execution_start');
    listener.close();
  });

  test('the second of two equal nodes says it was executed and shows nothing', async () => {
    const listener = await listen('me');
    await submit(flux(1, ''), 'x', { client_id: 'me' });
    await listener.ended('x');
    const executed = listener.messages.filter((message) => !isFrame(message) && message.type === 'executed');
    expect(executed).toMatchObject([{ data: { node: '4', output: null } }, { data: { node: '11' } }]);
    listener.close();
  });

  test('a prompt may ask for previews, or for none', async () => {
    const listener = await listen('me');
    await submit(flux(1, 'x'), 'x', { client_id: 'me', extra_data: { preview_method: 'latent2rgb' } });
    await listener.ended('x');
    expect(types(listener).filter((type) => type === 'frame')).toHaveLength(2);
    await submit(flux(2, 'x'), 'y', { client_id: 'me', extra_data: { preview_method: 'none' } });
    await listener.ended('y');
    expect(types(listener).filter((type) => type === 'frame')).toHaveLength(2);
    listener.close();
  });
});

describe('faults', () => {
  test('a silent socket says hello and no more', async () => {
    comfyui.faults.socketSilent = true;
    const listener = await listen('me');
    await submit(plainGraph(), 'x', { client_id: 'me' });
    await ended('x');
    comfyui.faults.socketSilent = false;
    await submit(plainGraph(2), 'y', { client_id: 'me' });
    await listener.ended('y');
    expect(JSON.stringify(listener.messages)).not.toContain('"x"');
    listener.close();
  });

  test('a socket is cut after so many messages', async () => {
    comfyui.faults.socketCutAfter = 3;
    const listener = await listen('me');
    await submit(plainGraph(), 'x', { client_id: 'me' });
    await listener.closed;
    expect(listener.messages).toHaveLength(3);
    await ended('x');
  });

  test('the answer to a prompt is lost, and the prompt is not', async () => {
    comfyui.faults.losePromptAnswer = true;
    await expect(submit(plainGraph(), 'x')).rejects.toThrow('fetch failed');
    await ended('x');
  });

  test('paths answer 500, and those below them', async () => {
    comfyui.faults.answer500 = ['/history'];
    expect(await get('/history/x')).toEqual([500, expect.any(String)]);
    expect(await get('/api/history')).toEqual([500, expect.any(String)]);
    expect(await get('/queue')).toEqual([200, expect.anything()]);
  });

  test('paths never answer, the socket included, and the server still closes', async () => {
    comfyui.faults.hang = ['/system_stats', '/ws'];
    const never = get('/system_stats').catch((error: Error) => error.message);
    const listener = new Listener(comfyui.url, 'me');
    await askUntil(comfyui.url, '/queue', () => comfyui.requests.some(({ path }) => path === '/ws'));
    expect(comfyui.requests).toContainEqual({ method: 'GET', path: '/system_stats' });
    await comfyui.close();
    expect(await never).toBe('fetch failed');
    await listener.closed;
    comfyui = await startSimulatedComfyUI({ version: '0.8' });
  });

  test('half an image arrives, announced as a whole one', async () => {
    await submit(plainGraph(1, 'half', 256, 256), 'x');
    await ended('x');
    comfyui.faults.halfImage = true;
    const answer = await fetch(`${comfyui.url}/view?filename=half_00001_.png`);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(1000);
    await expect(answer.arrayBuffer()).rejects.toThrow('terminated');
  });

  test('the executor hangs through an interrupt until it is let go', async () => {
    comfyui.faults.hangExecutor = true;
    await submit(plainGraph(), 'x');
    await running('x');
    await post('/interrupt', {});
    await running('x');
    comfyui.faults.hangExecutor = false;
    expect(((await ended('x')) as Histories)['x']!.status.status_str).toBe('error');
  });

  test('without its worker it answers and takes prompts, and runs nothing until it is restarted', async () => {
    await submit(slowGraph(60_000), 'running');
    await running('running');
    comfyui.faults.deadWorker = true;
    await submit(plainGraph(), 'waiting');
    await post('/interrupt', { prompt_id: 'running' });
    const queue = async () => (await get('/queue'))[1] as Queue;
    expect((await queue()).queue_running.map(([, id]) => id)).toEqual(['running']);
    await post('/queue', { delete: ['waiting'] });
    expect((await queue()).queue_pending).toEqual([]);
    comfyui.faults.forget();
    await submit(plainGraph(), 'again');
    await ended('again');
    expect(Object.keys((await get('/history'))[1] as object)).toEqual(['again']);
  });

  test('it ends when a node has shown its output, which is there, and nothing else is', async () => {
    comfyui.faults.endsOnExecuted = 1;
    const listener = await listen('me');
    await submit(plainGraph(), 'x', { client_id: 'me' });
    await listener.closed;
    expect(listener.messages.at(-1)).toMatchObject({ type: 'executed' });
    expect((await get('/view?filename=T_00001_.png'))[0]).toBe(200);
    expect(await get('/history')).toEqual([200, {}]);
    expect(await get('/queue')).toEqual([200, { queue_running: [], queue_pending: [] }]);
    await submit(plainGraph(), 'y');
    await ended('y');
  });

  test('the entries of prompts that came meanwhile cannot be read', async () => {
    const seen: unknown[] = [];
    for (const how of ['500', 'null', 'no status', 'no JSON'] as const) {
      comfyui.faults.unreadableEntry = how;
      await submit(plainGraph(), how);
      comfyui.faults.unreadableEntry = null;
      await submit(plainGraph(), 'readable');
      await ended('readable');
      const answer = await fetch(`${comfyui.url}/history/${encodeURIComponent(how)}`);
      seen.push([answer.status, await answer.text()]);
    }
    expect(seen).toEqual([
      [500, expect.stringContaining('Internal Server Error')],
      [200, '{"null":null}'],
      [200, '{"no status":{"outputs":{},"status":null}}'],
      [200, '{"a":'],
    ]);
  });

  test("another's NaN is in the queue", async () => {
    comfyui.faults.nanInQueue = true;
    expect(await (await fetch(`${comfyui.url}/queue`)).text()).toContain('"scale_by": NaN');
  });

  test('a restart forgets queue, history, caches and numbers, and cuts the sockets', async () => {
    await submit(plainGraph(), 'done');
    await ended('done');
    const listener = await listen('me');
    comfyui.faults.hangExecutor = true;
    await submit(plainGraph(), 'stuck', { client_id: 'me' });
    await running('stuck');
    await submit(plainGraph(), 'waiting');
    comfyui.faults.forget();
    comfyui.faults.hangExecutor = false;
    await listener.closed;
    expect(await get('/queue')).toEqual([200, { queue_running: [], queue_pending: [] }]);
    expect(await get('/history')).toEqual([200, {}]);
    expect(await submit(plainGraph(), 'new')).toMatchObject([200, { number: 0 }]);
    const history = (await ended('new')) as Histories;
    expect(history['new']!.status.messages[1]).toMatchObject(['execution_cached', { nodes: [] }]);
    expect(Object.keys((await get('/history'))[1] as object)).toEqual(['new']);
  });
});

describe('as a process', () => {
  let folder: string;
  let outfile: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simulated-main-'));
    outfile = join(folder, 'main.mjs');
    const entry = new URL('../../simulated-comfyui/main.ts', import.meta.url).pathname;
    const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: { js },
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('says where it listens, and goes when its parent lets go', async () => {
    const child = fork(outfile, {
      env: { ...process.env, SIMULATED_STEP_MS: '0', DIRECTORY: folder },
      stdio: 'pipe',
    });
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const { url } = await new Promise<{ url: string }>((told) =>
      child.once('message', (message) => told(message as { url: string })),
    );
    expect(await ask(url, 'GET', '/prompt')).toEqual([200, { exec_info: { queue_remaining: 0 } }]);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    expect(await gone).toBe(0);
    expect(JSON.parse(printed)).toEqual({ url });
  });

  test('starts with the faults of its environment, and says which it does not know', async () => {
    const startWith = (faults: string) =>
      fork(outfile, {
        env: { ...process.env, DIRECTORY: folder, SIMULATED_FAULTS: faults },
        stdio: 'pipe',
      });
    const child = startWith('{"answer500": ["/queue"]}');
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    expect((await ask(url, 'GET', '/queue'))[0]).toBe(500);
    expect((await ask(url, 'GET', '/prompt'))[0]).toBe(200);
    child.disconnect();
    await once(child, 'exit');

    for (const [faults, problem] of [
      ['{"halfimage": true}', 'There is no fault "halfimage"; there are socketSilent, '],
      ['{"hang": "/queue"}', 'The fault "hang" takes a list of paths'],
    ] as const) {
      const wrong = startWith(faults);
      let printed = '';
      wrong.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      expect(await once(wrong, 'close')).toEqual([1, null]);
      expect(printed).toContain(problem);
      const known = /Error: .*there are (.*)/.exec(printed)?.[1]!.split(', ') ?? [];
      const readme = await readFile('simulated-comfyui/README.md', 'utf8');
      expect(known.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
    }
  });

  test('alone it needs nobody who reads, and goes when its terminal does', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [outfile], {
      env: { ...process.env, PORT: String(port), DIRECTORY: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.destroy();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const answer = () =>
      ask(`http://127.0.0.1:${port}`, 'GET', '/prompt').then(
        ([status]) => status,
        () => undefined,
      );
    await expect.poll(answer, { timeout: 10_000 }).toBe(200);
    child.kill('SIGHUP');
    expect(await gone).toBe(0);
  });
});
