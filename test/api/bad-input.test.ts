// Bad input over HTTP: the right status, a sentence that names the field and what it should be, and nothing stored.

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';
import { countStored, eventually } from './support.ts';

let rig: Rig;
let before: Awaited<ReturnType<typeof countStored>>;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(async () => {
  before = await countStored(rig);
});
afterEach(async () => {
  // oxlint-disable-next-line vitest/no-standalone-expect -- whatever was refused, nothing is stored
  expect(await countStored(rig)).toEqual(before);
});

/** A stack trace, a path of this machine, a library's name. */
const LEAK = /\n\s+at |\/work\/|\/tmp\/|node_modules|\.ts\b/;

interface Problem {
  status: number;
  error: string;
  code: string;
  field: string | undefined;
}

/** Sends exactly this path. */
async function ask(
  route: string,
  body?: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  agent: Agent | false = false,
): Promise<Problem> {
  const [method, path] = route.split(' ') as [string, string];
  const { hostname, port } = new URL(rig.url);
  const [status, text] = await new Promise<[number, string]>((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent }, (answer) => {
      let received = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (received += piece));
      answer.on('end', () => resolve([answer.statusCode ?? 0, received]));
    });
    sent.on('error', reject);
    // A server may answer and close before the whole of a large body is sent.
    sent.on('socket', (socket) => socket.on('error', reject));
    sent.end(body);
  });
  expect(text).not.toMatch(LEAK);
  const { error, code, details } = JSON.parse(text) as {
    error: string;
    code: string;
    details?: { field?: string };
  };
  return { status, error, code, field: details?.field };
}
const generate = (fields: object) => ask('POST /api/generate', JSON.stringify({ prompt: 'x', ...fields }));

describe('a body that is no JSON object', () => {
  test.each([
    ['not JSON', 'prompt=x'],
    ['half of JSON', '{"prompt": "x"'],
    ['an array', '[{"prompt": "x"}]'],
    ['a string', '"x"'],
    ['a number', '5'],
    ['null', 'null'],
    ['empty', ''],
    ['nothing', undefined],
    ['a bare NaN', '{"prompt": "x", "steps": NaN}'],
    ['comments', '{"prompt": "x" /* y */}'],
    ['single quotes', "{'prompt': 'x'}"],
    ['very deep', '['.repeat(200_000)],
  ])('%s', async (_, body) => {
    expect(await ask('POST /api/generate', body)).toMatchObject({
      status: 400,
      code: 'invalid_json',
      error: expect.stringContaining('must be a JSON object'),
    });
  });
});

describe('a body that is too large', () => {
  const large = JSON.stringify({ prompt: 'x'.repeat(5 * 1024 * 1024) });
  const edge = (bytes: number) => `{"prompt": "${'x'.repeat(bytes - 14)}"}`;
  const refused = {
    status: 413,
    code: 'body_too_large',
    error: expect.stringContaining('256 KB') as string,
  };

  test('5 MB, with its length and in chunks', async () => {
    expect(await ask('POST /api/generate', large)).toMatchObject(refused);
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    expect(await ask('POST /api/generate', large, headers)).toMatchObject(refused);
    expect(await ask('POST /api/queue/clear', large)).toMatchObject(refused);
  });

  test('the connection is read on and serves the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      expect(await ask('POST /api/generate', large, undefined, agent)).toMatchObject(refused);
      const free = () => Promise.resolve(Object.values(agent.freeSockets).flat()[0]);
      const socket = await eventually('the end of the body', free);
      // What is not read on is cut half a second later.
      const cut = once(socket, 'close').then(() => 'cut');
      const kept = new Promise((resolve) => setTimeout(() => resolve('kept'), 800));
      expect(await Promise.race([cut, kept])).toBe('kept');
      expect(await ask('GET /api/none', undefined, undefined, agent)).toMatchObject({ status: 404 });
      expect(await eventually('the same connection', free)).toBe(socket);
    } finally {
      agent.destroy();
    }
  });

  test('the edge is 256 KB', async () => {
    expect(edge(100).length).toBe(100);
    expect(await ask('POST /api/generate', edge(256 * 1024 + 1))).toMatchObject(refused);
    expect(await ask('POST /api/generate', edge(256 * 1024))).toMatchObject({ status: 400, field: 'prompt' });
  });
});

describe('a content type that is not JSON', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    '%j',
    async (type) => {
      const headers: Record<string, string> = type ? { 'content-type': type } : {};
      expect(await ask('POST /api/generate', '{"prompt": "x"}', headers)).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
        error: expect.stringContaining('application/json'),
      });
    },
  );
});

describe('a missing prompt is told in the words of the guide', () => {
  test.each([{}, { prompt: null }, { prompt: '' }, { prompt: ' \n\t' }])('%j', async (body) => {
    expect(await ask('POST /api/generate', JSON.stringify(body))).toEqual({
      status: 400,
      error: 'Missing required field: prompt',
      code: 'missing_field',
      field: 'prompt',
    });
  });
});

describe('a field that is wrong', () => {
  test.each<[string, object, string]>([
    ['prompt', { prompt: 5 }, 'must be a string'],
    ['prompt', { prompt: ['x'] }, 'must be a string'],
    ['prompt', { prompt: 'x'.repeat(10_001) }, 'must have at most 10000 characters; it has 10001'],
    ['prompt', { prompt: '🦊'.repeat(10_001) }, 'must have at most 10000 characters'],
    ['prompt', { prompt: 'a\u0000b' }, 'must not have control characters'],
    ['prompt', { prompt: 'a\u001bb' }, 'must not have control characters'],
    ['prompt', { prompt: 'a\u007fb' }, 'must not have control characters'],
    ['prompt', { prompt: 'a\ud800b' }, 'must be valid Unicode'],
    ['negative_prompt', { negative_prompt: false }, 'must be a string'],
    ['negative_prompt', { negative_prompt: 'x'.repeat(10_001) }, 'must have at most 10000 characters'],
    ['steps', { steps: 0 }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: 51 }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: 2.5 }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: 'NaN' }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: 'Infinity' }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: '0x10' }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: '' }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: true }, 'must be a whole number from 1 to 50'],
    ['steps', { steps: [25] }, 'must be a whole number from 1 to 50'],
    ['cfg', { cfg: -0.1 }, 'must be a number from 0 to 30'],
    ['cfg', { cfg: 30.1 }, 'must be a number from 0 to 30'],
    ['cfg', { cfg: '1e999' }, 'must be a number from 0 to 30'],
    ['lora_strength', { lora_strength: 1.01 }, 'must be a number from 0 to 1'],
    ['lora_strength', { lora_strength: -1 }, 'must be a number from 0 to 1'],
    ['width', { width: 1000 }, 'must be a whole number from 256 to 2048 and a multiple of 16'],
    ['width', { width: 240 }, 'must be a whole number from 256 to 2048 and a multiple of 16'],
    ['height', { height: 2064 }, 'must be a whole number from 256 to 2048 and a multiple of 16'],
    ['height', { height: 1e300 }, 'must be a whole number from 256 to 2048 and a multiple of 16'],
    ['batch_size', { batch_size: 0 }, 'must be a whole number from 1 to 8'],
    ['batch_size', { batch_size: 9 }, 'must be a whole number from 1 to 8'],
    ['seed', { seed: -1 }, 'must be a whole number from 0 to 18446744073709551615'],
    ['seed', { seed: 2 ** 64 }, 'must be a whole number from 0 to 18446744073709551615'],
    ['sampler', { sampler: 'eulr' }, 'must be one of euler, '],
    ['sampler', { sampler: 3 }, 'must be a string'],
    ['scheduler', { scheduler: 'karas' }, 'must be one of '],
    ['preset', { preset: 'rtx-9999' }, 'must be one of rtx-4090, '],
    ['preset', { preset: 7 }, 'must be a string'],
    ['preset', { preset: 'constructor' }, 'must be one of rtx-4090, '],
  ])('%s, case %#', async (field, body, wanted) => {
    const start = `Invalid field: ${field} ${wanted}`;
    const answer = await generate(body);
    expect(answer).toMatchObject({ status: 400, code: 'invalid_field', field });
    expect(answer.error.slice(0, start.length)).toBe(start);
  });

  test('nested deeper than any stack, with and without a key', async () => {
    const body = `{"prompt": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const json = { 'content-type': 'application/json' };
    for (const headers of [json, { ...json, 'idempotency-key': 'deep' }])
      expect(await ask('POST /api/generate', body, headers)).toMatchObject({ status: 400, field: 'prompt' });
  });

  test('the first bad one is named', async () => {
    expect((await generate({ height: 1, steps: 0, width: 1 })).field).toBe('steps');
  });
});

describe('a field that there is not', () => {
  test.each(['steps_', 'Prompt', 'image', '__proto__', 'constructor', 'toString', '', 'x'.repeat(5000)])(
    '%j',
    async (field) => {
      const answer = await ask('POST /api/generate', `{"prompt": "x", ${JSON.stringify(field)}: 1}`);
      expect(answer).toMatchObject({ status: 400, code: 'unknown_field', field: field.slice(0, 60) });
      expect(answer.error).toContain('prompt, negative_prompt, steps');
      expect(answer.error.length).toBeLessThan(500);
    },
  );
});

describe('what is unknown', () => {
  test.each<[string, unknown]>([
    ['a name', 'flux3'],
    ['a number', 3],
    ['a path', '../../package'],
    ['a property of every object', '__proto__'],
  ])('a workflow: %s', async (_, workflow) => {
    expect(await generate({ workflow })).toMatchObject({
      status: 400,
      code: 'unknown_workflow',
      field: 'workflow',
      error: expect.stringContaining('must be one of flux2_turbo_default'),
    });
  });

  const id = '550e8400-e29b-41d4-a716-446655440000';
  test.each([
    [`GET /api/status/${id}`, 'job_not_found'],
    [`DELETE /api/queue/${id}`, 'job_not_found'],
    [`DELETE /api/history/${id}`, 'job_not_found'],
    ['GET /api/status/..%2f..%2fetc%2fpasswd', 'job_not_found'],
    ['DELETE /api/history/%2e%2e%2f', 'job_not_found'],
    ['GET /api/image/Flux2_Turbo_00001_.png', 'image_not_found'],
    ['GET /api/image/..%2f..%2f..%2fetc%2fpasswd', 'image_not_found'],
    ['GET /api/image/..%5c..%5cx.png', 'image_not_found'],
    ['GET /api/image/%00', 'image_not_found'],
    ['GET /api/image/%E0%A4%A', 'image_not_found'],
    ['GET /api/image/../../../etc/passwd', 'route_not_found'],
    ['GET /api/workflows/..%2f..%2fpackage', 'workflow_not_found'],
    ['GET /api', 'route_not_found'],
    ['GET /console/..%2f..%2fpackage.json', 'route_not_found'],
    ['GET /.env', 'route_not_found'],
    ['POST //api/generate', 'route_not_found'],
  ])('%s', async (route, code) => {
    expect(await ask(route)).toMatchObject({ status: 404, code, error: expect.any(String) });
  });
});

test.each(['GET /api/generate', 'PUT /api/generate', 'POST /api/status/x', 'DELETE /api/queue'])(
  'a wrong method: %s',
  async (route) => {
    expect(await ask(route)).toMatchObject({
      status: 405,
      code: 'method_not_allowed',
      error: expect.stringMatching(/^This address takes (POST|GET), not [A-Z]+$/),
    });
  },
);
