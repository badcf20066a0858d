// What ComfyUI answers is believed only where ComfyUI could have said it, and "no", "nothing" and "broken" are three things.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ComfyUI,
  ComfyUIBroken,
  ComfyUIRefused,
  ComfyUISilent,
  createComfyUI,
} from '../../functions/comfyui/client.ts';

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let comfyui: ComfyUI;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  comfyui = createComfyUI(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1000);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const JSON_TYPE = 'application/json; charset=utf-8';
/** What a proxy shows where it reaches no server. */
const PAGE = '<html><head><title>502 Bad Gateway</title></head><body>no upstream</body></html>';

function says(body: string, status = 200, type = JSON_TYPE): void {
  answer = (_, response) => response.writeHead(status, { 'content-type': type }).end(body);
}
const submission = () =>
  comfyui.submit({ graph: {}, promptId: 'p', clientId: 'c', extraData: {} }).catch((error: unknown) => error);
const submit = async () => {
  const result = await submission();
  if (result instanceof Error) throw result;
  return result;
};

describe('system_stats', () => {
  test('of a ComfyUI are given as they are, also without devices', async () => {
    for (const devices of [[], [{ name: 'cpu', type: 'cpu', index: null, vram_total: 1, vram_free: 1 }]]) {
      const stats = { system: { os: 'linux', comfyui_version: '0.8.0' }, devices };
      says(JSON.stringify(stats));
      expect(await comfyui.systemStats()).toEqual(stats);
    }
  });

  test.each([
    '{}',
    'null',
    '[]',
    '"ok"',
    '{"system":{}}',
    '{"devices":[]}',
    '{"system":null,"devices":[]}',
    '{"system":"up","devices":[]}',
    '{"system":{},"devices":{}}',
    '{"system":',
  ])('%s is broken', async (body) => {
    says(body);
    await expect(comfyui.systemStats()).rejects.toThrow(ComfyUIBroken);
  });

  test('odd devices and versions are tolerated', async () => {
    says(
      '{"system":{"comfyui_version":33},"devices":[null,7,{"name":null,"vram_total":NaN,"vram_free":"much"}]}',
    );
    expect(await comfyui.systemStats()).toEqual({
      system: {},
      devices: [{ name: 'unknown', type: 'unknown', vram_total: 0, vram_free: 0 }],
    });
  });

  test('a page is silence: somebody else answers there', async () => {
    says(PAGE, 200, 'text/html');
    await expect(comfyui.systemStats()).rejects.toThrow(ComfyUISilent);
  });
});

describe('the three ways not to get what was asked for', () => {
  test.each([502, 503, 504, 520, 429, 408])('%i is silence', async (status) => {
    says(PAGE, status, 'text/html');
    await expect(comfyui.queue()).rejects.toThrow(ComfyUISilent);
  });

  test('500 is broken', async () => {
    says('500 Internal Server Error', 500, 'text/plain');
    await expect(comfyui.queue()).rejects.toThrow(ComfyUIBroken);
  });

  const x = () => ({
    sizeBytes: 1,
    pieces: (async function* () {
      yield Buffer.from('x');
    })(),
  });

  test('4xx is a no, with the words of ComfyUI or of a page', async () => {
    says(JSON.stringify({ error: { message: 'too big', details: '1 MB' } }), 413);
    await expect(comfyui.uploadInput('a.png', x())).rejects.toMatchObject({
      name: 'ComfyUIRefused',
      status: 413,
      reason: 'too big: 1 MB',
    });
    says('<html><style>a{}</style><h1>413 Request  Entity Too Large</h1></html>', 413, 'text/html');
    await expect(comfyui.uploadInput('a.png', x())).rejects.toMatchObject({
      reason: '413 Request Entity Too Large',
    });
  });

  test('an answer that breaks off, or never ends, is silence', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': '100' });
      response.write('{"queue_running":');
      setImmediate(() => response.destroy());
    };
    await expect(comfyui.queue()).rejects.toThrow(ComfyUISilent);
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': JSON_TYPE });
      response.write('{"queue_running":');
    };
    await expect(comfyui.queue()).rejects.toThrow(ComfyUISilent);
  });

  test('a redirect is silence that is named: what follows it would lose the body of POST', async () => {
    answer = (_, response) => response.writeHead(301, { location: 'https://elsewhere.example/' }).end();
    await expect(comfyui.queue()).rejects.toMatchObject({
      name: 'ComfyUISilent',
      message: expect.stringMatching(/301.*elsewhere/),
    });
    await expect(submit()).rejects.toThrow(ComfyUISilent);
  });

  test('connections are used again after every answer, whether it was wanted or not', async () => {
    const ports = new Set<number | undefined>();
    const file = { filename: 'a.png', subfolder: '', type: 'output' };
    let status = 200;
    answer = (request, response) => {
      ports.add(request.socket.remotePort);
      const head = { 'content-type': JSON_TYPE, 'content-length': '2' };
      response.writeHead(status, head).end(request.method === 'HEAD' ? undefined : '{}');
    };
    for (let round = 0; round < 10; round += 1) {
      status = 200;
      await comfyui.deleteHistory(['p']);
      await comfyui.history('p');
      await comfyui.viewHead(file);
      for await (const _ of (await comfyui.view(file))!.body);
      status = 404;
      expect(await comfyui.view(file)).toBeUndefined();
      expect(await comfyui.viewHead(file)).toBeUndefined();
      await expect(comfyui.history('p')).rejects.toThrow(ComfyUIRefused);
      await expect(comfyui.deleteHistory(['p'])).rejects.toThrow(ComfyUIRefused);
    }
    // One is free a moment after its answer was read: the next call may open a second.
    expect(ports.size).toBeLessThanOrEqual(3);
  });

  test('an answer past its bound is not read on, announced or not', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    let sent = 0;
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': JSON_TYPE });
      const more = () => {
        while (!response.destroyed && sent < 200) {
          sent += 1;
          if (response.write(chunk)) continue;
          response.once('drain', more);
          return;
        }
      };
      more();
    };
    await expect(comfyui.systemStats()).rejects.toThrow('larger than 16 MiB');
    expect(sent).toBeLessThan(40);
    answer = (_, response) =>
      response
        .writeHead(200, { 'content-type': JSON_TYPE, 'content-length': String(2 ** 32) })
        .flushHeaders();
    await expect(comfyui.queue()).rejects.toThrow('larger than 96 MiB');
  });
});

describe('the queue and the history', () => {
  test("are read as Python writes them: another person's NaN, and items that are none", async () => {
    says(
      '{"queue_running":[[0,"a",{"1":{"inputs":{"x":NaN}}},{"job":1},[]],null,[1,null,{}]],' +
        '"queue_pending":[[2,"b",{},null]]}',
    );
    expect(await comfyui.queue()).toEqual({
      running: [{ promptId: 'a', extraData: { job: 1 } }],
      pending: [{ promptId: 'b', extraData: {} }],
    });
  });

  test.each(['null', '[]', '{}', '{"queue_running":[],"queue_pending":null}'])(
    'a queue that is %s is broken',
    async (body) => {
      says(body);
      await expect(comfyui.queue()).rejects.toThrow(ComfyUIBroken);
    },
  );

  test('an entry with NaN among what a node shows is read', async () => {
    says(
      '{"p":{"outputs":{"1":{"score":[NaN]},"2":null},"status":{"status_str":"success","completed":true,' +
        '"messages":[null,["execution_start",{"timestamp":1}]]}}}',
    );
    expect(await comfyui.history('p')).toEqual({
      outputs: { 1: { score: [null] } },
      status: { status_str: 'success', completed: true, messages: [['execution_start', { timestamp: 1 }]] },
    });
  });

  test.each([
    'null',
    '7',
    '{"outputs":{},"status":null}',
    '{"outputs":null,"status":{"status_str":"success"}}',
  ])('an entry that is %s is broken, not absent', async (entry) => {
    says(`{"p":${entry}}`);
    await expect(comfyui.history('p')).rejects.toThrow(ComfyUIBroken);
  });
});

describe('POST /prompt', () => {
  test('returns the id that ComfyUI gave it', async () => {
    says('{"prompt_id":"another","number":1,"node_errors":[]}');
    expect(await submit()).toEqual({ accepted: true, promptId: 'another', nodeErrors: {} });
  });

  test('refused with 400: the first error of the first node, or what is said of the whole', async () => {
    says(
      JSON.stringify({
        error: { type: 'prompt_outputs_failed_validation', message: 'Prompt outputs failed validation' },
        node_errors: {
          3: { class_type: 'KSampler', errors: [{ type: 'x', message: 'Value not in list', details: 'a' }] },
        },
      }),
      400,
    );
    expect(await submit()).toMatchObject({
      accepted: false,
      message: 'node 3 (KSampler): Value not in list: a',
    });
    says('{"error":{"message":"Cyclic","details":""},"node_errors":[]}', 400);
    expect(await submit()).toMatchObject({ accepted: false, message: 'Cyclic' });
    says('{"error":"no prompt","node_errors":{"1":null,"2":{"errors":null}}}', 400);
    expect(await submit()).toMatchObject({ accepted: false, message: 'no prompt' });
  });

  test('refused with 413 or 403: a no to this prompt', async () => {
    says('413: Request Entity Too Large', 413, 'text/plain');
    expect(await submit()).toMatchObject({ accepted: false, message: '413: Request Entity Too Large' });
    says('', 403, 'text/plain');
    expect(await submit()).toMatchObject({ accepted: false, message: 'it answered 403' });
  });

  test.each([
    ['500 with a page', PAGE, 500, 'text/html'],
    ['502', PAGE, 502, 'text/html'],
    ['a page', PAGE, 200, 'text/html'],
    ['404: somebody else is there', PAGE, 404, 'text/html'],
    ['401: we are not let in', PAGE, 401, 'text/html'],
    ['a success without an id', '{}', 200, JSON_TYPE],
  ])('%s: it is unknown whether it was accepted', async (_, body, status, type) => {
    says(body, status, type);
    expect(await submission()).toBeInstanceOf(ComfyUISilent);
  });
});

test('no object_info is broken; entries that are none are left out', async () => {
  says('null');
  await expect(comfyui.objectInfo()).rejects.toThrow(ComfyUIBroken);
  says('{"A":null,"B":{"input":{"required":{"x":["FLOAT",{"max":Infinity}]}}}}');
  expect(await comfyui.objectInfo()).toEqual({
    B: { input: { required: { x: ['FLOAT', { max: null }] } } },
  });
});

test('a refused question is no silence', async () => {
  says('no such thing', 404, 'text/plain');
  await expect(comfyui.modelsIn('loras')).rejects.toThrow(ComfyUIRefused);
});

describe('cancelling', () => {
  const ids = ['first', 'second'];
  /** What was asked, in order; `cancel` is how the route of newer ComfyUIs answers. */
  async function cancelling(cancel: (response: ServerResponse) => void): Promise<string[]> {
    const asked: string[] = [];
    answer = (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.url?.endsWith('/cancel')) cancel(response);
      else response.end();
    };
    await comfyui.cancel(ids);
    return asked;
  }

  test('is one request for each, where ComfyUI has one for it', async () => {
    const cancelled = (response: ServerResponse) =>
      response.writeHead(200, { 'content-type': JSON_TYPE }).end('{"cancelled": false}');
    expect(await cancelling(cancelled)).toEqual(ids.map((id) => `POST /api/jobs/${id}/cancel`));
  });

  test.each([404, 405, 403, 500])(
    'is out of the queue and an interrupt by id where that is %i',
    async (status) => {
      expect(await cancelling((response) => response.writeHead(status).end())).toEqual([
        'POST /api/jobs/first/cancel',
        'POST /queue',
        'POST /interrupt',
        'POST /interrupt',
      ]);
    },
  );

  test('a page in its place is no answer of ComfyUI', async () => {
    const asked = cancelling((response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end(PAGE),
    );
    await expect(asked).rejects.toThrow(ComfyUISilent);
  });
});
