// MCP by HTTP, below its client: who may come in, what is refused before a tool sees it, and many at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../../functions/api/http/access.ts';
import { listen, listenerOf } from '../../../functions/runtime/listen.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { createKey } from '../comfyui-wire/keys.ts';
import { anotherProcess, type Json } from '../support.ts';
import { connected, messageOf, REVISIONS, rpc, tool, withTasks } from './support.ts';

const SMALL = { prompt: 'a red fox', steps: 4, width: 256, height: 256 };

let rig: Rig;
/** Asks for keys. */
let guarded: { url: string; close(): Promise<void> };
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
  const app = anotherProcess(rig, { admit: askForKeys(rig.store), nudge: () => rig.nudge() });
  const server = await listen(listenerOf(app), '127.0.0.1', 0);
  guarded = { url: `http://127.0.0.1:${server.port}`, close: () => server.close() };
});
afterAll(async () => {
  await guarded?.close();
  await rig?.close();
});

async function post(
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; json: Json }> {
  const answer = await fetch(`${rig.url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body,
  });
  return { status: answer.status, json: messageOf(await answer.text()) };
}

/** As clients of 2025-11-25 send it. */
const older = (method: string, params?: Json) =>
  post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), { 'mcp-protocol-version': '2025-11-25' });

describe('keys', () => {
  test('without one: 401, and how to come in', async () => {
    const { status, headers, json } = await rpc(guarded.url, 'tools/list');
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="comfyui"');
    expect(json).toMatchObject({ jsonrpc: '2.0', id: null, error: { data: { code: 'unauthorized' } } });
    const { headers: wrong } = await rpc(guarded.url, 'tools/list', {}, { headers: { 'x-api-key': 'no' } });
    expect(wrong.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test.each(REVISIONS)('the client with a key, by %s: a job is its owner’s alone', async (revision) => {
    const [one, another] = await Promise.all(
      ['ann', 'bob'].map(async (owner) =>
        connected(guarded.url, revision, await createKey(rig, owner, ['generate', 'read'])),
      ),
    );
    const { json } = await tool(one!, 'generate', { inputs: SMALL });
    expect(json).toMatchObject({ status: 'completed' });
    for (const name of ['get_job', 'cancel_job'])
      expect(await tool(another!, name, { job_id: json['job_id'] })).toMatchObject({
        isError: true,
        json: { code: 'job_not_found' },
      });
    await Promise.all([one!.close(), another!.close()]);
  });

  test('another’s task is none', async () => {
    const headers = async (owner: string) => ({
      'x-api-key': await createKey(rig, owner, ['generate', 'read']),
    });
    const call = { name: 'generate', arguments: { inputs: SMALL } };
    const made = await rpc(guarded.url, 'tools/call', call, { ...withTasks, headers: await headers('ann') });
    const { taskId } = made.json['result'] as { taskId: string };
    const others = { ...withTasks, headers: await headers('bob') };
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      expect((await rpc(guarded.url, method, { taskId }, others)).json).toMatchObject({
        error: { code: -32602 },
      });
  });

  test('a scope that a key lacks is named', async () => {
    const reader = await connected(guarded.url, '2026-07-28', await createKey(rig, 'ann', ['read']));
    expect(await tool(reader, 'generate', { inputs: SMALL })).toMatchObject({
      isError: true,
      json: { code: 'forbidden', details: { scope: 'generate' } },
    });
    const maker = await connected(guarded.url, '2026-07-28', await createKey(rig, 'ann', ['generate']));
    expect(await tool(maker, 'list_workflows')).toMatchObject({ json: { details: { scope: 'read' } } });
    await expect(maker.listResources()).rejects.toMatchObject({ code: -32602 });
    await Promise.all([reader.close(), maker.close()]);
  });
});

describe('what is refused', () => {
  test.each<[string, string, number, number]>([
    ['no JSON', '{"jsonrpc":', 400, -32700],
    ['nothing', '', 400, -32700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600],
    ['no message', '{"hello":"world"}', 400, -32600],
    ['a number', '1', 400, -32600],
    ['a message of JSON-RPC 1', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600],
  ])('%s', async (_, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, json: { jsonrpc: '2.0', error: { code } } });
  });

  test('a method that there is not, and listening', async () => {
    for (const method of ['tools/paint', 'prompts/list', 'subscriptions/listen', 'initialize'])
      expect(await rpc(rig.url, method, { notifications: {} })).toMatchObject({
        status: 404,
        json: { id: 1, error: { code: -32601 } },
      });
  });

  test.each<[string, Json]>([
    ['tools/call', {}],
    ['tools/call', { name: 5 }],
    ['tools/call', { name: 'list_workflows', arguments: 'all' }],
    ['tools/list', { cursor: 5 }],
    ['tools/list', { cursor: 'next' }],
    ['resources/list', { cursor: 5 }],
    ['resources/list', { cursor: 'next' }],
    ['resources/templates/list', { cursor: [] }],
    ['resources/templates/list', { cursor: 'next' }],
    ['resources/read', {}],
    ['resources/read', { uri: 5 }],
    ['resources/read', { uri: 'comfyui://workflows/none' }],
    ['tasks/get', {}],
    ['tasks/get', { taskId: 5 }],
  ])('%s with %j: invalid params, by both revisions', async (method, params) => {
    const refusal = { id: 1, error: { code: -32602 } };
    expect((await rpc(rig.url, method, params, withTasks)).json).toMatchObject(refusal);
    expect((await older(method, params)).json).toMatchObject(refusal);
  });

  test.each([undefined, {}, { protocolVersion: 5 }, { protocolVersion: '2025-11-25' }])(
    'initialize with %j: invalid params',
    async (params) => {
      expect(await older('initialize', params)).toMatchObject({
        status: 400,
        json: { id: 1, error: { code: -32602 } },
      });
    },
  );

  test('a capability that the client did not declare: 400, and which', async () => {
    expect(await rpc(rig.url, 'tasks/get', { taskId: crypto.randomUUID() })).toMatchObject({
      status: 400,
      json: { error: { code: -32021, data: { requiredCapabilities: { extensions: expect.any(Object) } } } },
    });
  });

  test('a revision that is not served, with those that are', async () => {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2031-01-01',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    };
    expect(await post(JSON.stringify(body), { 'mcp-protocol-version': '2031-01-01' })).toMatchObject({
      status: 400,
      json: { error: { code: -32022, data: { supported: ['2026-07-28'] } } },
    });
    const older = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect((await post(older, { 'mcp-protocol-version': '1999-01-01' })).status).toBe(400);
  });

  test('headers that say another thing than the body', async () => {
    expect(await rpc(rig.url, 'tools/list', {}, { headers: { 'mcp-method': 'tools/call' } })).toMatchObject({
      status: 400,
      json: { error: { code: -32020 } },
    });
  });

  test('what is not POST, not JSON, or compressed', async () => {
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const answer = await fetch(`${rig.url}/mcp`, { method });
      expect({ status: answer.status, allow: answer.headers.get('allow') }).toEqual({
        status: 405,
        allow: 'POST',
      });
      await answer.text();
    }
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test('30 MB in base64', async () => {
    const image = Buffer.alloc(22_500_000).toString('base64');
    const answer = await rpc(rig.url, 'tools/call', { name: 'upload_image', arguments: { image } });
    expect(answer).toMatchObject({ status: 413, json: { error: { data: { code: 'body_too_large' } } } });
  });

  test('a page of another origin, where there are no keys', async () => {
    const app = anotherProcess(rig, {
      settings: { links: 'request', allowedOrigins: [], fixedComfyUI: true, maxWaiting: 100 },
    });
    const server = await listen(listenerOf(app), '127.0.0.1', 0);
    const headers = { origin: 'http://evil.example' };
    const answer = await rpc(`http://127.0.0.1:${server.port}`, 'tools/list', {}, { headers });
    await server.close();
    expect(answer).toMatchObject({ status: 403, json: { error: { data: { code: 'origin_not_allowed' } } } });
  });

  test('what a bug says is not shown', async () => {
    const app = anotherProcess(rig, {
      workflows: {
        get templates(): never {
          throw new Error('/secret/path');
        },
        refused: [],
      },
    });
    const server = await listen(listenerOf(app), '127.0.0.1', 0);
    const { json } = await rpc(`http://127.0.0.1:${server.port}`, 'tools/list');
    expect(json).toMatchObject({ error: { code: -32603, data: { code: 'internal_error' } } });
    expect(JSON.stringify(json)).not.toContain('secret');
    await server.close();
  });
});

test('a seed of 64 bits as a number', async () => {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'generate', arguments: { inputs: { ...SMALL, seed: 'HERE' }, wait_seconds: 0 } },
  }).replace('"HERE"', '18446744073709551615');
  const { json } = await post(body);
  const { content } = json['result'] as { content: { text: string }[] };
  expect(content[0]!.text).toContain('"seed":18446744073709551615,"seed_text":"18446744073709551615"');
});

test('a stream has progress and one answer: no request of the server, and no log that was not asked for', async () => {
  const answer = await fetch(`${rig.url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'generate',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'generate',
        arguments: { inputs: SMALL, inline: false },
        _meta: {
          progressToken: 'p',
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {} },
        },
      },
    }),
  });
  const frames = [...(await answer.text()).matchAll(/^data: (.+)$/gm)].map(
    ([, data]) => JSON.parse(data!) as Json,
  );
  expect(frames.length).toBeGreaterThan(1);
  const answered = frames.pop();
  expect(answered).toMatchObject({ id: 1, result: { content: expect.any(Array) } });
  expect(new Set(frames.map(({ method }) => method))).toEqual(new Set(['notifications/progress']));
});

test('a hundred calls at once: each its own job and image', async () => {
  const client = await connected(rig.url, '2026-07-28');
  const calls = Array.from({ length: 100 }, (_, index) =>
    tool(client, 'generate', { inputs: { ...SMALL, prompt: `fox ${index}` }, inline: false }),
  );
  const made = await Promise.all(calls);
  const ids = new Set(made.map(({ json }) => json['job_id']));
  expect(ids.size).toBe(100);
  for (const { json, isError } of made) {
    expect(isError).toBe(false);
    const ended = await tool(client, 'get_job', { job_id: json['job_id'], inline: false });
    expect(ended.json).toMatchObject({ status: 'completed', outputs: [{ kind: 'image' }] });
  }
  await client.close();
});

describe('where no request may be held', () => {
  test('generate gives the job at once, and get_job its image later', async () => {
    const app = anotherProcess(rig, {
      nudge: () => rig.nudge(),
      settings: {
        links: 'request',
        allowedOrigins: ['*'],
        fixedComfyUI: true,
        maxWaiting: 100,
        openConnections: 0,
      },
    });
    const server = await listen(listenerOf(app), '127.0.0.1', 0);
    const client = await connected(`http://127.0.0.1:${server.port}`, '2025-11-25');
    const { json } = await tool(client, 'generate', { inputs: { ...SMALL, steps: 50 } });
    expect(json).toMatchObject({ status: expect.stringMatching(/queued|processing/) });
    await rig.until(String(json['job_id']), ['completed']);
    expect((await tool(client, 'get_job', { job_id: json['job_id'] })).blocks[1]).toMatchObject({
      type: 'image',
    });
    await client.close();
    await server.close();
  });
});
