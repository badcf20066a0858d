// ComfyUI's socket: what a client hears of its prompts, in which order, when it comes late or again, and what ends a socket.
// The order is that of the traces of ComfyUI 0.33 (test/traces/v033).

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createClientSocket } from '../../../functions/api/comfyui-wire/client-socket.ts';
import { askForKeys } from '../../../functions/api/http/access.ts';
import { AppError } from '../../../functions/core/errors.ts';
import { SOCKETS_PER_OWNER } from '../../../functions/core/limits.ts';
import type { Graph } from '../../../functions/core/object-info.ts';
import { listen, listenerOf } from '../../../functions/runtime/listen.ts';
import { appsWith } from '../../support/app.ts';
import { QUICK } from '../../support/quick.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, eventually, type Json } from '../support.ts';
import { small } from '../v2/support.ts';
import { type Client, connect as open, endOf, type Opening, type Said } from './client.ts';
import { createKey } from './keys.ts';

let rig: Rig;
let clients: Client[] = [];
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  rig = await startRig({ timings: QUICK });
});
afterEach(() => {
  for (const { socket } of clients) socket.terminate();
  clients = [];
});
afterAll(async () => {
  for (const close of closers) await close();
  await rig.close();
});

async function connect(opening: Opening = {}, url = rig.wireUrl): Promise<Client> {
  const client = await open(url, opening);
  clients.push(client);
  return client;
}

/** Sends a prompt; its id. */
async function send(graph: Graph, clientId?: string, wire = rig.wire, key?: string): Promise<string> {
  const json = { prompt: graph, ...(clientId !== undefined && { client_id: clientId }) };
  const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
  const answer = await call(wire, 'POST /prompt', { json, headers });
  expect(answer.status).toBe(200);
  return String(answer.json['prompt_id']);
}

const typesOf = (said: readonly Said[]) => said.map(({ type }) => type);
const remainingOf = ({ data }: Said) =>
  ((data['status'] as Json)['exec_info'] as Json)['queue_remaining'] as number;
const executingNode = ({ type, data }: Said) => type === 'executing' && data['node'] !== null;
const slow = (prompt: string, steps = 40): Graph => {
  const graph = small(prompt);
  graph['8']!.inputs['steps'] = steps;
  return graph;
};

describe('without a host', () => {
  test.each(['/ws', '/api/ws'])(
    '%s says how many jobs remain, and under which id it knows the client',
    async (path) => {
      const client = await connect({ clientId: 'me', path });
      const [first] = await client.until(() => true);
      expect(first).toEqual({
        type: 'status',
        data: { status: { exec_info: { queue_remaining: expect.any(Number) } }, sid: 'me' },
      });
      const unnamed = await connect({ path });
      const [greeting] = await unnamed.until(() => true);
      expect(greeting!.data['sid']).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  test('every socket of the owner hears that the queue has grown', async () => {
    const [mine, another] = [await connect({ clientId: 'mine' }), await connect()];
    const [before] = await mine.until(() => true);
    await another.until(() => true);
    await send(small('one more'), 'mine');
    for (const client of [mine, another])
      await client.until(
        ({ type, data }) => type === 'status' && remainingOf({ type, data }) > remainingOf(before!),
      );
  });

  test('features are named to a client that names its own in its first message', async () => {
    const client = await connect();
    client.socket.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
    const said = await client.until(({ type }) => type === 'feature_flags');
    expect(said.at(-1)!.data).toMatchObject({
      supports_preview_metadata: true,
      max_upload_size: expect.any(Number),
    });
    const late = await connect();
    late.socket.send('what is this');
    late.socket.send(JSON.stringify({ type: 'feature_flags', data: {} }));
    await send(small('another'));
    const first = remainingOf((await late.until(() => true))[0]!);
    await late.until((one) => one.type === 'status' && remainingOf(one) > first);
    expect(typesOf(late.said)).not.toContain('feature_flags');
  });

  test('an address of sockets that is asked as another is a bad request', async () => {
    expect(await call(rig.wire, 'GET /ws')).toMatchObject({
      status: 400,
      json: { error: { type: 'bad_request' } },
    });
    await expect(connect({ path: '/queue' })).rejects.toThrow('refused with 200');
    await expect(connect({ clientId: 'x'.repeat(201) })).rejects.toThrow('refused with 400');
  });
});

describe('with a host', () => {
  beforeAll(async () => {
    await rig.addHost({ comfyui: { stepMs: 20, previews: true } });
  });

  test('a prompt is heard of in ComfyUI’s order, with the files that the history names', async () => {
    const [me, another] = [await connect({ clientId: 'a1' }), await connect({ clientId: 'a2' })];
    await me.until(() => true);
    const id = await send(slow('in order'), 'a1');
    const said = await me.until(endOf(id));
    const own = said.filter(({ data }) => data['prompt_id'] === id);
    expect(typesOf(own.slice(0, 2))).toEqual(['execution_start', 'execution_cached']);
    expect(own[1]!.data).toEqual({ nodes: [], prompt_id: id, timestamp: expect.any(Number) });
    expect(typesOf(own.slice(-3))).toEqual(['executed', 'execution_success', 'executing']);
    expect(said.at(-2)!.type).toBe('status');
    expect(typesOf(own)).toEqual(
      expect.arrayContaining(['progress_state', 'executing', 'progress', 'executed']),
    );
    const { json } = await call(rig.wire, `GET /history/${id}`);
    const entry = json[id] as { outputs: Json };
    expect(own.find(({ type }) => type === 'executed')!.data).toEqual({
      node: '11',
      display_node: '11',
      output: entry.outputs['11'],
      prompt_id: id,
    });
    const steps = own.filter(({ type }) => type === 'progress').map(({ data }) => data);
    for (const step of steps) expect(step).toMatchObject({ node: '8', max: 40, prompt_id: id });
    const values = steps.map(({ value }) => Number(value));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(another.said.filter(({ data }) => data['prompt_id'] === id)).toEqual([]);
    const next = await send(small('in order too'), 'a1');
    const all = await me.until(endOf(next));
    // After its last word nothing more is said of a prompt.
    expect(all[all.findIndex(endOf(id)) + 1]).toMatchObject({
      type: 'status',
      data: { status: { exec_info: { queue_remaining: 1 } } },
    });
  });

  test('each message has the fields of ComfyUI’s', async () => {
    const me = await connect({ clientId: 'b1' });
    const id = await send(slow('alike'), 'b1');
    const own = (await me.until(endOf(id))).filter(({ data }) => data['prompt_id'] === id);
    const trace = JSON.parse(readFileSync('test/traces/v033/slow-node.json', 'utf8')) as {
      events: [number, Said][];
    };
    for (const { type, data } of own) {
      const theirs = trace.events.map(([, one]) => one).filter((one) => one.type === type);
      const shapes = theirs.map((one) => Object.keys(one.data).toSorted().join());
      expect(shapes.map((keys) => `${type} ${keys}`)).toContain(
        `${type} ${Object.keys(data).toSorted().join()}`,
      );
      if (type !== 'progress_state') continue;
      const nodeOf = (one: Said) =>
        Object.keys(Object.values(one.data['nodes'] as Json)[0] as Json).toSorted();
      expect(nodeOf({ type, data })).toEqual(nodeOf(theirs[0]!));
    }
  });

  test('a client that connects while its prompt runs hears where it stands', async () => {
    const id = await send(slow('late', 150), 'c1');
    const first = await connect({ clientId: 'c1' });
    await first.until(({ type }) => type === 'progress');
    await first.close();
    const again = await connect({ clientId: 'c1' });
    const said = await again.until(({ type }) => type === 'progress');
    expect(typesOf(said)).toEqual([
      'status',
      'execution_start',
      'execution_cached',
      'progress_state',
      'executing',
      'progress_state',
      'progress',
    ]);
    expect(typesOf((await again.until(endOf(id))).slice(-4))).toEqual([
      'executed',
      'execution_success',
      'status',
      'executing',
    ]);
  });

  test('an end that came while the client was away is said when it comes back, and once', async () => {
    const id = await send(small('missed'), 'd1');
    await rig.until(id, ['completed']);
    const back = await connect({ clientId: 'd1' });
    const said = await back.until(endOf(id));
    expect(typesOf(said)).toEqual([
      'status',
      'execution_start',
      'execution_cached',
      'executed',
      'execution_success',
      'status',
      'executing',
    ]);
    // With the answer to this ping the server has had the one that confirms the end.
    back.socket.ping();
    await new Promise((resolve) => back.socket.once('pong', resolve));
    await back.close();
    const next = await connect({ clientId: 'd1' });
    const marker = await send(small('after'), 'd1');
    await next.until(endOf(marker));
    expect(next.said.filter(({ data }) => data['prompt_id'] === id)).toEqual([]);
  });

  test('two sockets of one client hear the same', async () => {
    const [one, two] = [await connect({ clientId: 'e1' }), await connect({ clientId: 'e1' })];
    await Promise.all([one.until(() => true), two.until(() => true)]);
    const id = await send(small('both'), 'e1');
    await Promise.all([one.until(endOf(id)), two.until(endOf(id))]);
  });

  test('a node that fails is named, as the history names it', async () => {
    const form = new FormData();
    form.append('image', new Blob(['no image']), 'broken.png');
    expect((await call(rig.wire, 'POST /upload/image', { body: form })).status).toBe(200);
    const me = await connect({ clientId: 'f1' });
    const id = await send(
      {
        '1': { class_type: 'LoadImage', inputs: { image: 'broken.png' } },
        '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'E' } },
      },
      'f1',
    );
    const said = await me.until(endOf(id));
    expect(typesOf(said.slice(-3))).toEqual(['execution_error', 'status', 'executing']);
    const { json } = await call(rig.wire, `GET /history/${id}`);
    const { status } = json[id] as { status: { messages: [string, Json][] } };
    expect(said.at(-3)!.data).toEqual(status.messages.at(-1)![1]);
  });

  test('a cancelled prompt is interrupted', async () => {
    const me = await connect({ clientId: 'g1' });
    const id = await send(slow('cancelled', 400), 'g1');
    await me.until(executingNode);
    expect((await call(rig.app, `DELETE /api/queue/${id}`)).status).toBe(200);
    const said = await me.until(endOf(id));
    expect(typesOf(said.slice(-3))).toEqual(['execution_interrupted', 'status', 'executing']);
    expect(said.at(-3)!.data).toMatchObject({ prompt_id: id, node_id: expect.any(String), executed: [] });
  });

  test('previews come with the metadata that the client asked for, few, and to its client alone', async () => {
    const greeting = { type: 'feature_flags', data: { supports_preview_metadata: true } };
    const [me, plain, another] = [
      await connect({ clientId: 'p1' }),
      await connect({ clientId: 'p1' }),
      await connect({ clientId: 'p2' }),
    ];
    me.socket.send(JSON.stringify(greeting));
    another.socket.send(JSON.stringify(greeting));
    await Promise.all([me, another].map((one) => one.until(({ type }) => type === 'feature_flags')));
    const since = performance.now();
    const id = await send(slow('previews', 60), 'p1');
    await Promise.all([me.until(endOf(id)), plain.until(endOf(id))]);
    const seconds = (performance.now() - since) / 1000;
    expect(me.previews.length).toBeGreaterThan(0);
    expect(me.previews.length).toBeLessThanOrEqual(Math.ceil(2 * seconds));
    const [first] = me.previews;
    expect(first!.readUInt32BE(0)).toBe(4);
    const length = first!.readUInt32BE(4);
    expect(JSON.parse(first!.subarray(8, 8 + length).toString())).toEqual({
      node_id: '8',
      prompt_id: id,
      display_node_id: '8',
      parent_node_id: null,
      real_node_id: '8',
      image_type: 'image/jpeg',
    });
    expect(first!.subarray(8 + length, 10 + length).toString('hex')).toBe('ffd8');
    expect(plain.previews[0]!.subarray(0, 10).toString('hex')).toBe('0000000100000001ffd8');
    expect(another.previews).toEqual([]);
  });

  test('of a prompt without a client every socket of the owner hears how far it is, and that it was interrupted', async () => {
    const greeting = { type: 'feature_flags', data: { supports_preview_metadata: true } };
    const both = [await connect({ clientId: 'n1' }), await connect()];
    for (const { socket } of both) socket.send(JSON.stringify(greeting));
    await Promise.all(both.map((one) => one.until(({ type }) => type === 'feature_flags')));
    const id = await send(slow('without a client', 400));
    const progress = ({ type, data }: Said) => type === 'progress' && data['prompt_id'] === id;
    await Promise.all(both.map((one) => one.until(progress)));
    await expect.poll(() => both.every(({ previews }) => previews.length > 0)).toBe(true);
    await rig.wire.request('/interrupt', { method: 'POST', body: JSON.stringify({ prompt_id: id }) });
    await Promise.all(both.map((one) => one.until(({ type }) => type === 'execution_interrupted')));
    // Another prompt's end is after everything that was said of this one.
    const next = await send(small('named'), 'n1');
    await both[0]!.until(endOf(next));
    for (const { said, previews } of both) {
      const own = said.filter(({ data }) => data['prompt_id'] === id);
      expect(new Set(typesOf(own))).toEqual(new Set(['progress_state', 'progress', 'execution_interrupted']));
      expect(own.at(-1)!.type).toBe('execution_interrupted');
      // Without metadata, though both read it: ComfyUI asks the prompt's client, and there is none.
      expect(previews[0]!.subarray(0, 10).toString('hex')).toBe('0000000100000001ffd8');
    }
  });

  test('a prompt without a client that completes has no last word', async () => {
    const me = await connect({ clientId: 'o1' });
    const id = await send(slow('completes'));
    await me.until(({ type, data }) => type === 'progress' && data['prompt_id'] === id);
    await rig.until(id, ['completed']);
    const next = await send(small('named'), 'o1');
    const own = (await me.until(endOf(next))).filter(({ data }) => data['prompt_id'] === id);
    expect(new Set(typesOf(own))).toEqual(new Set(['progress_state', 'progress']));
  });

  test('a prompt that another process took in is heard of too', async () => {
    const { store, images, templates, log, timings } = rig;
    const other = appsWith({ ...store, images, workflows: { templates, refused: [] }, log, timings });
    const server = await listen(listenerOf(other.wire), '127.0.0.1', 0);
    server.server.on('upgrade', other.upgrade);
    closers.push(() => server.close());
    const me = await connect({ clientId: 'h1' }, `http://127.0.0.1:${server.port}`);
    await me.until(() => true);
    const id = await send(slow('elsewhere'), 'h1');
    const own = (await me.until(endOf(id))).filter(({ data }) => data['prompt_id'] === id);
    expect(typesOf(own.slice(0, 2))).toEqual(['execution_start', 'execution_cached']);
    expect(typesOf(own.slice(-3))).toEqual(['executed', 'execution_success', 'executing']);
  });
});

describe('with keys', () => {
  let url: string;
  let guarded: Rig['wire'];
  beforeAll(async () => {
    const { store, images, templates, log, timings, nudge } = rig;
    const admit = askForKeys({ keys: store.keys, now: store.now });
    const workflows = { templates, refused: [] };
    const { wire, upgrade } = appsWith({ ...store, images, workflows, log, timings, nudge, admit });
    const server = await listen(listenerOf(wire), '127.0.0.1', 0);
    server.server.on('upgrade', upgrade);
    closers.push(() => server.close());
    url = `http://127.0.0.1:${server.port}`;
    guarded = wire;
  });

  test('by header or address, and never without', async () => {
    const ada = await createKey(rig, 'ada');
    await expect(connect({}, url)).rejects.toThrow('refused with 401');
    await expect(connect({ query: '&token=wrong' }, url)).rejects.toThrow('refused with 401');
    const writes = await createKey(rig, 'ada', ['generate']);
    await expect(connect({ query: `&token=${writes}` }, url)).rejects.toThrow('refused with 403');
    const openings: Opening[] = [
      { headers: { authorization: `Bearer ${ada}` } },
      { headers: { 'x-api-key': ada } },
      { query: `&token=${ada}` },
    ];
    for (const opening of openings) await (await connect(opening, url)).until(() => true);
  });

  test('of another owner’s jobs nothing is said, though the client id is the same', async () => {
    const [ada, bob] = [await createKey(rig, 'ada2'), await createKey(rig, 'bob2')];
    const hers = await connect({ clientId: 'same', query: `&token=${ada}` }, url);
    const his = await connect({ clientId: 'same', query: `&token=${bob}` }, url);
    await his.until(() => true);
    const id = await send(small('hers'), 'same', guarded, ada);
    await hers.until(endOf(id));
    const own = await send(small('his'), 'same', guarded, bob);
    const said = await his.until(endOf(own));
    expect(said.filter(({ data }) => data['prompt_id'] === id)).toEqual([]);
    expect(said.filter(({ type }) => type === 'status').map(remainingOf)).not.toContain(2);
  });

  test('one owner has so many sockets, and another still gets one', async () => {
    const [ada, bob] = [await createKey(rig, 'ada3'), await createKey(rig, 'bob3')];
    const hers = { query: `&token=${ada}` };
    const opened = await Promise.all(Array.from({ length: SOCKETS_PER_OWNER }, () => connect(hers, url)));
    await expect(connect(hers, url)).rejects.toThrow('refused with 429');
    await connect({ query: `&token=${bob}` }, url);
    await opened[0]!.close();
    await eventually('room for one', async () => connect(hers, url).catch(() => undefined));
  });
});

describe('the end of a socket', () => {
  const timings = { ...QUICK, followerHearsEvery: 100 };

  /** The wire as another process serves it. */
  async function another(parts: Partial<Parameters<typeof appsWith>[0]> = {}) {
    const { store, images, templates, log, nudge } = rig;
    const workflows = { templates, refused: [] };
    const { wire, upgrade } = appsWith({ ...store, images, workflows, log, timings, nudge, ...parts });
    const server = await listen(listenerOf(wire), '127.0.0.1', 0);
    server.server.on('upgrade', upgrade);
    closers.push(() => server.close());
    return { url: `http://127.0.0.1:${server.port}`, server };
  }

  test('a client that answers no ping is cut off, and one that answers stays', async () => {
    const { url } = await another();
    const [dead, alive] = [await connect({ autoPong: false }, url), await connect({}, url)];
    expect(await dead.ended).toMatchObject({ code: 1006 });
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  });

  test('a key that is revoked ends its sockets', async () => {
    const ada = await createKey(rig, 'ada4');
    let revoked = false;
    const keys = askForKeys({ keys: rig.store.keys, now: rig.store.now });
    const { url } = await another({
      admit: (c, next) => {
        if (revoked) throw new AppError('unauthorized', 'revoked');
        return keys(c, next);
      },
    });
    const client = await connect({ query: `&token=${ada}` }, url);
    await client.until(() => true);
    revoked = true;
    expect(await client.ended).toMatchObject({ code: 1008 });
  });

  test('a process that stops says so, and its server ends', async () => {
    const stopping = new AbortController();
    const { url, server } = await another({ stopping: stopping.signal });
    const client = await connect({}, url);
    await client.until(() => true);
    stopping.abort();
    await server.close();
    expect(await client.ended).toMatchObject({ code: 1001 });
  });

  test('a client that takes nothing is cut off before much piles up for it', async () => {
    const opened = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(opened, 'listening');
    closers.push(() => new Promise((resolve) => opened.close(() => resolve())));
    const accepted = new Promise<WebSocket>((resolve) => opened.once('connection', resolve));
    const lazy = await connect({}, `http://127.0.0.1:${(opened.address() as AddressInfo).port}`);
    lazy.socket.pause();
    const server = await accepted;
    const left = new Promise<void>((resolve) => {
      const events = { features: {}, mayStay: () => Promise.resolve(true), left: resolve };
      const socket = createClientSocket(server, 'lazy', 60_000, events);
      const message: [string, Json] = ['executed', { output: 'x'.repeat(100_000) }];
      for (let count = 0; count < 1000; count += 1) socket.say(message);
    });
    await left;
    expect(server.bufferedAmount).toBeLessThan(6_000_000);
  });
});
